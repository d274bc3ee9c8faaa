import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { isNotEmpty, useForm } from "@mantine/form";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { ErrorPanel } from "../../ui/error-panel";
import { NewPassword, passwordProblem } from "../../ui/new-password";
import { Section } from "../../ui/section";

export function ChangePassword({ email }: { email: string }) {
  const form = useForm({
    initialValues: { current_password: "", new_password: "" },
    validate: { current_password: isNotEmpty("Enter your present password."), new_password: passwordProblem },
  });
  const change = useAction({
    // A wrong present password must not look like an ended session.
    anonymous: true,
    run: (body: typeof form.values, headers) =>
      ask(api.POST("/api/v1/identity/me/password", { body, headers })),
    changes: [["sessions"]],
    done: "Password changed. Your other sessions are signed out.",
    onSuccess: () => form.reset(),
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(change.error)), [change.error, setErrors]);
  return (
    <Section title="Password" lead="Changing it signs out your other sessions.">
      <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
        <Stack maw={420}>
          <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
          <PasswordInput
            label="Present password"
            autoComplete="current-password"
            required
            {...form.getInputProps("current_password")}
          />
          <NewPassword label="New password" {...form.getInputProps("new_password")} />
          {change.error && <ErrorPanel error={change.error} />}
          <Group>
            <Button type="submit" loading={change.isPending}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
