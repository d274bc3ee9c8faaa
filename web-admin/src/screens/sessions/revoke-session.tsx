import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { Session } from "../../api/types";
import { ConfirmDialog } from "../../ui/confirm-dialog";

export function RevokeSession({ session, onClose }: { session: Session; onClose: () => void }) {
  const revoke = useAction({
    run: (_, headers) =>
      ask(api.DELETE("/api/v1/identity/sessions/{id}", { params: { path: { id: session.id } }, headers })),
    changes: [["sessions"]],
    done: "Session revoked.",
  });
  return (
    <ConfirmDialog title="Revoke this session?" confirmLabel="Revoke" action={revoke} onClose={onClose}>
      {session.current
        ? "This is the session you work in now; you will have to sign in again."
        : `${session.account_email} will have to sign in again on ${session.device || "that device"}.`}
    </ConfirmDialog>
  );
}
