import { Anchor, Button, Code, Text } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { Domain } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import { Ago } from "../../ui/time";
import { ClaimDomain } from "./claim-domain";
import { DOMAIN_STATES, DomainStatus } from "./domain-status";

const route = getRouteApi("/app/domains");

const COLUMNS: Column<Domain>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ id, name, display_name }) => (
      <>
        <Anchor component={Link} to={`/domains/${id}`} inherit fw={500}>
          {display_name}
        </Anchor>
        {display_name !== name && (
          <Text size="sm" c="dimmed">
            <Code>{name}</Code>
          </Text>
        )}
      </>
    ),
  },
  { header: "State", render: (domain) => <DomainStatus domain={domain} /> },
  {
    header: "To do",
    render: ({ findings: [first] }) =>
      first ? <Text size="sm">{first.sentence}</Text> : <Text c="dimmed">nothing</Text>,
  },
  { header: "Checked", render: ({ checked_at }) => <Ago at={checked_at} /> },
  { header: "Claimed", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

const REFRESH_MS = 10_000;

export function DomainsScreen() {
  const { state, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const [claiming, setClaiming] = useState(false);
  const list = useList({
    key: ["domains"],
    filter: eq("status", state),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/tenancy/domains", { params: { query }, signal })),
    refetchInterval: REFRESH_MS,
  });
  const show = (patch: { state?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Domains"
      lead="Names of your own that lead here, such as app.example.com."
      actions={
        <Allowed to="tenancy.domains.write">
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setClaiming(true)}>
            Add a domain
          </Button>
        </Allowed>
      }
    >
      <StateFilter
        label="State"
        states={DOMAIN_STATES}
        value={state}
        onChange={(next) => show({ state: next })}
      />
      <ListView
        list={list}
        caption="Domains"
        columns={COLUMNS}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => show({ sort: next })}
        empty="No domain yet. Add one, and its page tells which DNS records to set."
      />
      {claiming && (
        <ClaimDomain
          onClose={() => setClaiming(false)}
          onClaimed={({ id }) => void navigate({ to: `/domains/${id}` })}
        />
      )}
    </Page>
  );
}
