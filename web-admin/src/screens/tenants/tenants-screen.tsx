import { Anchor, Button, Code, Group } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { CreatedInvitation, Tenant } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { InvitationLink } from "../../ui/invitation-link";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import { Ago } from "../../ui/time";
import { CreateTenant } from "./create-tenant";
import { TENANT_STATES, TenantStatus } from "./tenant-status";

const route = getRouteApi("/app/tenants");

const COLUMNS: Column<Tenant>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ id, name }) => (
      <Anchor component={Link} to={`/tenants/${id}`} inherit fw={500}>
        {name}
      </Anchor>
    ),
  },
  { header: "Slug", sort: "slug", render: ({ slug }) => <Code>{slug}</Code> },
  { header: "State", render: ({ state }) => <TenantStatus state={state} /> },
  {
    header: "Address",
    render: ({ url }) => (
      <Anchor href={url} inherit>
        {url}
      </Anchor>
    ),
  },
  { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function TenantsScreen() {
  const { state, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, setCreating] = useState(false);
  const [invitation, setInvitation] = useState<CreatedInvitation | null>(null);
  const list = useList({
    key: ["tenants"],
    filter: eq("state", state),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/tenancy/tenants", { params: { query }, signal })),
  });
  const show = (patch: { state?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Tenants"
      lead="Each customer has its own accounts, roles and address."
      actions={
        <Allowed to="tenancy.tenants.write">
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            New tenant
          </Button>
        </Allowed>
      }
    >
      <Group>
        <StateFilter
          label="State"
          states={TENANT_STATES}
          value={state}
          onChange={(next) => show({ state: next })}
        />
      </Group>
      <ListView
        list={list}
        caption="Tenants"
        columns={COLUMNS}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => show({ sort: next })}
        empty={state ? "No tenant is in this state." : "No tenant yet."}
      />
      {creating && <CreateTenant onClose={() => setCreating(false)} onCreated={setInvitation} />}
      <InvitationLink created={invitation} onClose={() => setInvitation(null)} />
    </Page>
  );
}
