import { Input, Radio, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { useMe } from "../../session/me";
import { FormDialog } from "../../ui/form-dialog";
import { PermissionPicker } from "../../ui/permission-picker";
import { expiryAfter, LIFETIMES } from "./lifetime";
import { permissionsOf } from "./scopes";

interface Props {
  onClose: () => void;
  onCreated: (secret: string) => void;
}

interface Values {
  name: string;
  reach: "all" | "some";
  scopes: string[];
  lifetime: string;
}

export function CreateApiKey({ onClose, onCreated }: Props) {
  const { permissions } = useMe();
  const form = useForm<Values>({
    initialValues: { name: "", reach: "some", scopes: [], lifetime: "90" },
    validate: {
      name: (name) => (name.trim() ? null : "Name the program that will use it."),
      scopes: (scopes, { reach }) =>
        reach === "some" && scopes.length === 0 ? "Choose at least one." : null,
    },
  });
  const create = useAction({
    run: ({ name, reach, scopes, lifetime }: Values, headers) =>
      ask(
        api.POST("/api/v1/identity/api_keys", {
          body: {
            name,
            scopes: reach === "some" ? scopes : undefined,
            expires_at: expiryAfter(lifetime, new Date()),
          },
          headers,
        }),
      ),
    changes: [["api_keys"]],
    onSuccess: ({ secret }) => {
      onClose();
      onCreated(secret);
    },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(create.error)), [create.error, setErrors]);
  return (
    <FormDialog
      opened
      title="New API key"
      size="xl"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => create.mutate(values))}
      submitLabel="Create"
      pending={create.isPending}
      error={create.error}
    >
      <TextInput
        label="Name"
        description="The program that will use it"
        required
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Select label="Expires" data={LIFETIMES} allowDeselect={false} {...form.getInputProps("lifetime")} />
      <Radio.Group label="It may do" {...form.getInputProps("reach")}>
        <Stack gap={6} mt={6}>
          <Radio value="some" label="Only what I choose" />
          <Radio value="all" label="All that I may do" />
        </Stack>
      </Radio.Group>
      {form.values.reach === "some" && (
        <Stack gap={6}>
          <PermissionPicker
            permissions={permissionsOf(permissions)}
            held={permissions}
            value={form.values.scopes}
            onChange={(scopes) => form.setFieldValue("scopes", scopes)}
          />
          <Input.Error role="alert">{form.errors.scopes}</Input.Error>
        </Stack>
      )}
    </FormDialog>
  );
}
