import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { useFragmentToken } from "../../session/fragment-token";
import { useSignIn } from "../../session/use-sign-in";
import { Entry } from "../../ui/entry";
import { NewAccountForm, type NewAccount } from "../../ui/new-account-form";
import { Notice } from "../../ui/notice";

/** Makes an account out of an invitation, then signs it in. */
export function InvitationScreen() {
  const token = useFragmentToken();
  return (
    <Entry title="You are invited" lead={`Make your account at ${window.location.host}.`}>
      {token ? <Accept token={token} /> : <NoToken />}
    </Entry>
  );
}

function Accept({ token }: { token: string }) {
  const signIn = useSignIn();
  const accept = useAction({
    anonymous: true,
    run: ({ display_name, ...account }: NewAccount, headers) =>
      ask(
        api.POST("/api/v1/identity/invitations/accept", {
          body: { token, ...account, display_name: display_name || undefined },
          headers,
        }),
      ),
    onSuccess: (_, { email, password }) => signIn.mutate({ email, password }),
  });
  return (
    <NewAccountForm
      submitLabel="Accept the invitation"
      emailHint="The address that the invitation was sent to"
      onSubmit={(account) => accept.mutate(account)}
      pending={accept.isPending || signIn.isPending}
      error={accept.error ?? signIn.error}
    />
  );
}

function NoToken() {
  return (
    <Notice tone="warn" title="The link is incomplete">
      Open the whole invitation link, with everything after the # sign, or ask for a new invitation.
    </Notice>
  );
}
