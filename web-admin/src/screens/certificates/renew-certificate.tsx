import { Button } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { Certificate } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Try again, or renew before its time. */
export function RenewCertificate({ certificate }: { certificate: Certificate }) {
  const can = usePermissions();
  const [asking, setAsking] = useState(false);
  const { name, status } = certificate;
  const held = status === "issued" || status === "renewing";
  const renew = useAction({
    run: (_, headers) =>
      ask(api.POST("/api/v1/edge/certificates/{name}/renew", { params: { path: { name } }, headers })),
    changes: [["certificates"]],
    done: held ? "It is being renewed." : "It is being tried again.",
  });
  if (!can("edge.certificates.write")) return null;
  const label = held ? "Renew now" : "Try again now";
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        {label}
      </Button>
      {asking && (
        <ConfirmDialog
          title={`${label}?`}
          confirmLabel={label}
          action={renew}
          danger={false}
          onClose={() => setAsking(false)}
        >
          The issuer's limits still hold: a handful of certificates for the same name a week.
        </ConfirmDialog>
      )}
    </>
  );
}
