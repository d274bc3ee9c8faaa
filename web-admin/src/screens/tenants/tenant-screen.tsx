import { Anchor, Code } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import type { Tenant } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { At, exact } from "../../ui/time";
import { RenameTenant } from "./rename-tenant";
import { TenantLifecycle } from "./tenant-lifecycle";
import { TenantStatus } from "./tenant-status";
import { Notice } from "../../ui/notice";

const route = getRouteApi("/app/tenants/$id");

export function TenantScreen() {
  const { id } = route.useParams();
  const can = usePermissions();
  const tenant = useQuery({
    queryKey: ["tenants", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/tenancy/tenants/{id}", { params: { path: { id } }, signal })),
  });
  const reload = () => void tenant.refetch();
  return (
    <Page title={tenant.data?.name ?? "Tenant"} back={{ to: "/tenants", label: "Tenants" }}>
      <QueryView query={tenant}>
        {(data) => (
          <>
            <StateNotice tenant={data} />
            <TenantFacts tenant={data} />
            {can("tenancy.tenants.write", "tenancy.tenant.write") && (
              <RenameTenant key={data.version} tenant={data} onReload={reload} />
            )}
            {can("tenancy.tenants.write") && <TenantLifecycle tenant={data} onReload={reload} />}
          </>
        )}
      </QueryView>
    </Page>
  );
}

function StateNotice({ tenant }: { tenant: Tenant }) {
  if (tenant.state === "suspended") {
    return (
      <Notice tone="warn" title="Suspended">
        Nobody can work in this tenant. {tenant.suspended_reason && `Reason: ${tenant.suspended_reason}`}
      </Notice>
    );
  }
  if (tenant.state === "deleting") {
    return (
      <Notice tone="bad" title="To be deleted">
        All its data goes for good{tenant.purge_at && ` on ${exact(tenant.purge_at)}`}. Until then it can be
        restored.
      </Notice>
    );
  }
  return null;
}

function TenantFacts({ tenant }: { tenant: Tenant }) {
  return (
    <Section title="About">
      <Facts
        items={{
          State: <TenantStatus state={tenant.state} />,
          Slug: <Code>{tenant.slug}</Code>,
          Address: (
            <Anchor href={tenant.url} inherit>
              {tenant.url}
            </Anchor>
          ),
          Issuer: <Code>{tenant.issuer}</Code>,
          Id: <Code>{tenant.id}</Code>,
          Created: <At at={tenant.created_at} />,
          Changed: <At at={tenant.updated_at} />,
        }}
      />
    </Section>
  );
}
