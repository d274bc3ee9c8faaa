import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { useFragmentToken } from "../../session/fragment-token";
import { useSignIn } from "../../session/use-sign-in";
import { Entry } from "../../ui/entry";
import { NewAccountForm, type NewAccount } from "../../ui/new-account-form";
import { QueryView } from "../../ui/query-view";
import { Notice } from "../../ui/notice";

/** Makes the first operator, by the link that the first start printed. */
export function SetupScreen() {
  const token = useFragmentToken();
  const state = useQuery({
    queryKey: ["setup"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/identity/setup", { signal })),
    meta: { anonymous: true },
  });
  return (
    <Entry title="Set up Holdfast" lead="Make the first operator's account. The link works once.">
      <QueryView query={state}>
        {({ needed }) => {
          if (!needed) return <AlreadyDone />;
          return token ? <FirstOperator token={token} /> : <NoToken />;
        }}
      </QueryView>
    </Entry>
  );
}

function FirstOperator({ token }: { token: string }) {
  const signIn = useSignIn();
  const complete = useAction({
    anonymous: true,
    run: ({ display_name, ...account }: NewAccount, headers) =>
      ask(
        api.POST("/api/v1/identity/setup", {
          body: { token, ...account, display_name: display_name || undefined },
          headers,
        }),
      ),
    onSuccess: (_, { email, password }) => signIn.mutate({ email, password }),
  });
  return (
    <NewAccountForm
      submitLabel="Create the account"
      onSubmit={(account) => complete.mutate(account)}
      pending={complete.isPending || signIn.isPending}
      error={complete.error ?? signIn.error}
    />
  );
}

function AlreadyDone() {
  return (
    <Notice tone="ok" title="This is done already">
      Holdfast has its first operator.{" "}
      <Anchor component={Link} to="/sign-in">
        Sign in
      </Anchor>
    </Notice>
  );
}

function NoToken() {
  return (
    <Notice tone="warn" title="The link is incomplete">
      Open the whole setup link that the server printed when it started, with everything after the # sign.
    </Notice>
  );
}
