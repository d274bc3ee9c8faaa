import { Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Tenant } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";

interface Props {
  tenant: Tenant;
  onClose: () => void;
  onReload: () => void;
}

export function SuspendTenant({ tenant, onClose, onReload }: Props) {
  const [reason, setReason] = useState("");
  const suspend = useAction({
    run: (body: { reason?: string }, headers) =>
      ask(
        api.POST("/api/v1/tenancy/tenants/{id}/suspend", {
          params: { path: { id: tenant.id } },
          body,
          headers: { ...headers, ...ifMatch(tenant) },
        }),
      ),
    changes: [["tenants"]],
    done: "The tenant is suspended.",
    onSuccess: onClose,
  });
  return (
    <FormDialog
      opened
      title={`Suspend ${tenant.name}?`}
      onClose={onClose}
      onSubmit={() => suspend.mutate({ reason: reason.trim() || undefined })}
      submitLabel="Suspend"
      pending={suspend.isPending}
      error={suspend.error}
      onReload={onReload}
      danger
    >
      <Text size="md">Every request of its people and programs is refused until it is resumed.</Text>
      <TextInput
        label="Reason"
        description="Shown to operators; optional"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        data-autofocus
      />
    </FormDialog>
  );
}
