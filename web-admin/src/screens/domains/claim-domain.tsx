import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { Domain } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";

interface Props {
  onClose: () => void;
  onClaimed: (domain: Domain) => void;
}

export function ClaimDomain({ onClose, onClaimed }: Props) {
  const form = useForm({
    initialValues: { name: "" },
    validate: { name: (name) => (name.trim() ? null : "Enter a name such as app.example.com.") },
  });
  const claim = useAction({
    run: (body: { name: string }, headers) => ask(api.POST("/api/v1/tenancy/domains", { body, headers })),
    changes: [["domains"]],
    onSuccess: (domain) => {
      onClose();
      onClaimed(domain);
    },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(claim.error)), [claim.error, setErrors]);
  return (
    <FormDialog
      opened
      title="Add a domain"
      onClose={onClose}
      onSubmit={form.onSubmit((values) => claim.mutate(values))}
      submitLabel="Add"
      pending={claim.isPending}
      error={claim.error}
    >
      <TextInput
        label="Name"
        description="Such as app.example.com, or *.example.com for all names one label below it"
        required
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("name")}
      />
    </FormDialog>
  );
}
