import { Radio, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { NewGrant } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import type { GrantedOn } from "./grants";
import { useMembers, useRoles } from "./people";

interface Values {
  subject: NewGrant["subject"];
  subject_id: string;
  access: NewGrant["access"];
  /** Texts of `datetime-local` inputs; empty for none. */
  from: string;
  until: string;
}

export function AddGrant({ on, onClose }: { on: GrantedOn; onClose: () => void }) {
  const form = useForm<Values>({
    initialValues: { subject: "account", subject_id: "", access: "read", from: "", until: "" },
    validate: {
      subject_id: (id, { subject }) => (subject === "everyone" || id ? null : "Choose who it is for."),
      until: (until, { from }) =>
        until && new Date(until) <= (from ? new Date(from) : new Date())
          ? "It would have ended before it begins."
          : null,
    },
  });
  const add = useAction({
    run: (values: Values, headers) =>
      ask(api.POST("/api/v1/vault/grants", { body: { ...on, ...grantOf(values) }, headers })),
    changes: [["grants"]],
    done: "Access granted.",
    onSuccess: onClose,
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(add.error)), [add.error, setErrors]);
  const { subject } = form.values;
  return (
    <FormDialog
      opened
      title="Grant access"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => add.mutate(values))}
      submitLabel="Grant"
      pending={add.isPending}
      error={add.error}
    >
      <Radio.Group
        label="To"
        {...form.getInputProps("subject")}
        onChange={(next) => form.setValues({ subject: next as Values["subject"], subject_id: "" })}
      >
        <Stack gap={6} mt={6}>
          <Radio value="account" label="One account" />
          <Radio value="role" label="All who have a role" />
          <Radio value="everyone" label="Everyone in the tenant" />
        </Stack>
      </Radio.Group>
      {subject === "account" && <AccountSelect {...form.getInputProps("subject_id")} />}
      {subject === "role" && <RoleChoice {...form.getInputProps("subject_id")} />}
      <Radio.Group label="They may" {...form.getInputProps("access")}>
        <Stack gap={6} mt={6}>
          <Radio value="read" label="Read" />
          <Radio value="write" label="Read and write" />
        </Stack>
      </Radio.Group>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="From"
          description="Empty: from now on"
          type="datetime-local"
          {...form.getInputProps("from")}
        />
        <TextInput
          label="Until"
          description="Empty: without an end"
          type="datetime-local"
          {...form.getInputProps("until")}
        />
      </SimpleGrid>
    </FormDialog>
  );
}

function grantOf({ subject, subject_id, access, from, until }: Values) {
  const instant = (local: string) => (local ? new Date(local).toISOString() : undefined);
  return {
    subject,
    subject_id: subject === "everyone" ? undefined : subject_id,
    access,
    valid_from: instant(from),
    valid_until: instant(until),
  };
}

interface ChoiceProps {
  value?: string;
  onChange?: (value: string | null) => void;
  error?: React.ReactNode;
}

/** Out of the members where they may be seen, else by id. */
function AccountSelect(props: ChoiceProps) {
  const members = useMembers();
  if (!members.data) return <ById label="Account" example="usr_…" {...props} />;
  const data = members.data.items.map(({ account_id, email }) => ({ value: account_id, label: email }));
  return <Select label="Account" required searchable data={data} {...props} value={props.value || null} />;
}

function RoleChoice(props: ChoiceProps) {
  const roles = useRoles();
  if (!roles.data) return <ById label="Role" example="rol_…" {...props} />;
  const data = roles.data.items.map(({ id, name }) => ({ value: id, label: name }));
  return <Select label="Role" required data={data} {...props} value={props.value || null} />;
}

function ById({ label, example, value, onChange, error }: ChoiceProps & { label: string; example: string }) {
  return (
    <TextInput
      label={`${label} id`}
      placeholder={example}
      required
      value={value}
      error={error}
      onChange={(event) => onChange?.(event.currentTarget.value)}
    />
  );
}
