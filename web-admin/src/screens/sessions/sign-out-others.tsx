import { Button } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Ends all of the caller's sessions but this one. */
export function SignOutOthers() {
  const [asking, setAsking] = useState(false);
  const signOut = useAction({
    run: (_, headers) => ask(api.DELETE("/api/v1/identity/sessions", { headers })),
    changes: [["sessions"]],
    done: "Signed out everywhere else.",
  });
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        Sign out others
      </Button>
      {asking && (
        <ConfirmDialog
          title="Sign out everywhere else?"
          confirmLabel="Sign out others"
          action={signOut}
          onClose={() => setAsking(false)}
        >
          All your other browsers and programs have to sign in again. API keys stay.
        </ConfirmDialog>
      )}
    </>
  );
}
