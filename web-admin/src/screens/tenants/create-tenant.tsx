import { TextInput } from "@mantine/core";
import { isEmail, useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { CreatedInvitation } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";

interface Props {
  onClose: () => void;
  onCreated: (invitation: CreatedInvitation | null) => void;
}

export function CreateTenant({ onClose, onCreated }: Props) {
  const form = useForm({
    initialValues: { name: "", slug: "", owner_email: "" },
    validate: {
      name: (name) => (name.trim() ? null : "Give the tenant a name."),
      slug: (slug) =>
        /^[a-z0-9-]{3,40}$/.test(slug) ? null : "Use 3 to 40 characters out of a–z, 0–9 and -.",
      owner_email: (email) => (email ? isEmail("Enter an e-mail address.")(email) : null),
    },
  });
  const create = useAction({
    run: ({ owner_email, ...tenant }: typeof form.values, headers) =>
      ask(
        api.POST("/api/v1/tenancy/tenants", {
          body: { ...tenant, owner_email: owner_email || undefined },
          headers,
        }),
      ),
    changes: [["tenants"]],
    done: "Tenant created.",
    onSuccess: ({ invitation }) => {
      onClose();
      onCreated(invitation ?? null);
    },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(create.error)), [create.error, setErrors]);
  return (
    <FormDialog
      opened
      title="New tenant"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => create.mutate(values))}
      submitLabel="Create"
      pending={create.isPending}
      error={create.error}
    >
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      <TextInput
        label="Slug"
        description="Part of its address, as in slug.example.com"
        required
        autoCapitalize="none"
        {...form.getInputProps("slug")}
      />
      <TextInput
        label="Owner's e-mail"
        description="Gets an invitation link, shown to you once"
        type="email"
        {...form.getInputProps("owner_email")}
      />
    </FormDialog>
  );
}
