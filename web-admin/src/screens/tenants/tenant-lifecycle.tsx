import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Tenant } from "../../api/types";
import { useMe } from "../../session/me";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { ErrorPanel } from "../../ui/error-panel";
import { Section } from "../../ui/section";
import { SuspendTenant } from "./suspend-tenant";

interface Props {
  tenant: Tenant;
  onReload: () => void;
}

/** Suspending, deleting, and the ways back. */
export function TenantLifecycle({ tenant, onReload }: Props) {
  const me = useMe();
  const [asking, setAsking] = useState<"suspend" | "delete" | null>(null);
  const close = () => setAsking(null);
  const request = (headers: Record<string, string>) => ({
    params: { path: { id: tenant.id } },
    headers: { ...headers, ...ifMatch(tenant) },
  });
  const resume = useAction({
    run: (_, headers) => ask(api.POST("/api/v1/tenancy/tenants/{id}/resume", request(headers))),
    changes: [["tenants"]],
    done: "The tenant is active again.",
  });
  const restore = useAction({
    run: (_, headers) => ask(api.POST("/api/v1/tenancy/tenants/{id}/restore", request(headers))),
    changes: [["tenants"]],
    done: "The tenant is restored.",
  });
  const remove = useAction({
    run: (_, headers) => ask(api.DELETE("/api/v1/tenancy/tenants/{id}", request(headers))),
    changes: [["tenants"]],
    done: "The tenant is marked for deletion.",
  });
  if (me.tenant.id === tenant.id) return null;
  const error = resume.error ?? restore.error;
  return (
    <Section title="Access and deletion" lead="A suspended tenant keeps its data and refuses every request.">
      {error && <ErrorPanel error={error} onRetry={onReload} />}
      <Group gap="xs">
        {tenant.state === "active" && (
          <Button variant="default" onClick={() => setAsking("suspend")}>
            Suspend
          </Button>
        )}
        {tenant.state === "suspended" && (
          <Button variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
            Resume
          </Button>
        )}
        {tenant.state === "deleting" ? (
          <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate()}>
            Restore
          </Button>
        ) : (
          <Button color="red.9" variant="filled" onClick={() => setAsking("delete")}>
            Delete
          </Button>
        )}
      </Group>
      {asking === "suspend" && <SuspendTenant tenant={tenant} onClose={close} onReload={onReload} />}
      {asking === "delete" && (
        <ConfirmDialog
          title={`Delete ${tenant.name}?`}
          confirmLabel="Delete the tenant"
          action={remove}
          onClose={close}
          onReload={onReload}
          typed={tenant.slug}
        >
          Nobody can use it from now on. Its data stays for the time of grace, in which it can be restored,
          and is then gone for good.
        </ConfirmDialog>
      )}
    </Section>
  );
}
