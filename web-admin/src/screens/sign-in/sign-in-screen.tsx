import { Button, Code, PasswordInput, Stack, TextInput } from "@mantine/core";
import { isEmail, isNotEmpty, useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { useSignIn, type Credentials } from "../../session/use-sign-in";
import { Entry } from "../../ui/entry";
import { ErrorPanel } from "../../ui/error-panel";
import { Notice } from "../../ui/notice";

const route = getRouteApi("/sign-in");

export function SignInScreen() {
  const { next, to } = route.useSearch();
  return (
    <Entry
      title="Sign in"
      lead={
        <>
          to <Code>{window.location.host}</Code>
        </>
      }
    >
      <SetupHint />
      <SignInForm next={next} to={to} />
    </Entry>
  );
}

export function SignInForm({ next, to }: { next?: string; to?: string }) {
  const signIn = useSignIn(next, to);
  const form = useForm<Credentials>({
    initialValues: { email: "", password: "" },
    validate: { email: isEmail("Enter your e-mail address."), password: isNotEmpty("Enter your password.") },
  });
  return (
    <form onSubmit={form.onSubmit((credentials) => signIn.mutate(credentials))} noValidate>
      <Stack>
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          data-autofocus
          {...form.getInputProps("email")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          {...form.getInputProps("password")}
        />
        {signIn.error && <ErrorPanel error={signIn.error} />}
        <Button type="submit" fullWidth loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** A fresh server has nobody to sign in. */
function SetupHint() {
  const { data } = useQuery({
    queryKey: ["setup"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/identity/setup", { signal })),
    meta: { anonymous: true },
    retry: false,
  });
  if (!data?.needed) return null;
  return (
    <Notice tone="warn" title="Not set up yet">
      Open the one-time setup link that the server printed when it started.
    </Notice>
  );
}
