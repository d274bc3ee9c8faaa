import { TextInput } from "@mantine/core";
import { isEmail, isNotEmpty, useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { CreatedInvitation } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import { RoleSelect } from "./role-select";

interface Props {
  onClose: () => void;
  onCreated: (created: CreatedInvitation) => void;
}

export function Invite({ onClose, onCreated }: Props) {
  const form = useForm({
    initialValues: { email: "", role_id: "" },
    validate: { email: isEmail("Enter an e-mail address."), role_id: isNotEmpty("Choose a role.") },
  });
  const invite = useAction({
    run: (body: typeof form.values, headers) =>
      ask(api.POST("/api/v1/tenancy/invitations", { body, headers })),
    changes: [["invitations"]],
    onSuccess: (created) => {
      onClose();
      onCreated(created);
    },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(invite.error)), [invite.error, setErrors]);
  return (
    <FormDialog
      opened
      title="Invite someone"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => invite.mutate(values))}
      submitLabel="Make the link"
      pending={invite.isPending}
      error={invite.error}
    >
      <TextInput label="E-mail" type="email" required data-autofocus {...form.getInputProps("email")} />
      <RoleSelect {...form.getInputProps("role_id")} />
    </FormDialog>
  );
}
