/** The form of both one-time links: the first operator's, and an invitation's. */
import { Button, Stack, TextInput } from "@mantine/core";
import { isEmail, useForm } from "@mantine/form";
import { useEffect } from "react";
import { fieldErrors } from "../api/problem";
import { ErrorPanel } from "./error-panel";
import { NewPassword, passwordProblem } from "./new-password";

export interface NewAccount {
  email: string;
  password: string;
  display_name: string;
}

interface Props {
  submitLabel: string;
  emailHint?: string;
  onSubmit: (account: NewAccount) => void;
  pending: boolean;
  error: unknown;
}

export function NewAccountForm({ submitLabel, emailHint, onSubmit, pending, error }: Props) {
  const form = useForm<NewAccount>({
    initialValues: { email: "", display_name: "", password: "" },
    validate: { email: isEmail("Enter an e-mail address."), password: passwordProblem },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(error)), [error, setErrors]);
  return (
    <form onSubmit={form.onSubmit(onSubmit)} noValidate>
      <Stack>
        <TextInput
          label="E-mail"
          description={emailHint}
          type="email"
          autoComplete="username"
          required
          {...form.getInputProps("email")}
        />
        <TextInput
          label="Name"
          description="As others see you; optional"
          autoComplete="name"
          {...form.getInputProps("display_name")}
        />
        <NewPassword {...form.getInputProps("password")} />
        {!!error && <ErrorPanel error={error} />}
        <Button type="submit" fullWidth loading={pending}>
          {submitLabel}
        </Button>
      </Stack>
    </form>
  );
}
