import { Radio, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { NewGrant } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import type { GrantedOn } from "./grants";
import { AccountChoice, RoleChoice } from "./subject-choice";

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
      ask(api.POST("/api/v1/vault/grants", { body: grantOf(on, values), headers })),
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
      <Text size="sm" c="dimmed">
        {on.document ? "On this document alone." : "On the whole collection, with what is added later."}
      </Text>
      <Radio.Group
        label="To"
        {...form.getInputProps("subject")}
        onChange={(next) => form.setValues({ subject: next as Values["subject"], subject_id: "" })}
      >
        <Stack gap={6} mt={6}>
          <Radio value="account" label="One member" />
          <Radio value="role" label="All who have a role" />
          <Radio value="everyone" label="Everyone in the tenant" />
        </Stack>
      </Radio.Group>
      {subject === "account" && <AccountChoice {...form.getInputProps("subject_id")} />}
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

function grantOf(on: GrantedOn, { subject, subject_id, access, from, until }: Values): NewGrant {
  const instant = (local: string) => (local ? new Date(local).toISOString() : undefined);
  return {
    ...(on.document ? { document_id: on.document } : { collection_id: on.collection }),
    subject,
    subject_id: subject === "everyone" ? undefined : subject_id,
    access,
    valid_from: instant(from),
    valid_until: instant(until),
  };
}
