import type { CreatedInvitation } from "../api/types";
import { SecretDialog } from "./secret-dialog";
import { exact } from "./time";

/** The link of a fresh invitation, to be handed to the invited person. */
export function InvitationLink({
  created,
  onClose,
}: {
  created: CreatedInvitation | null;
  onClose: () => void;
}) {
  return (
    <SecretDialog
      title="Invitation link"
      label="Invitation link"
      secret={created?.url ?? null}
      onClose={onClose}
    >
      {created && (
        <>
          Send this link to {created.invitation.email}. It makes an account with the role{" "}
          {created.invitation.role.name} and works once, until {exact(created.invitation.expires_at)}.
        </>
      )}
    </SecretDialog>
  );
}
