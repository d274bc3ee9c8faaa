/** The servers that routes send requests to, and how they stand. */
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { api, ask } from "../../api/client";
import { contains } from "../../api/filter";
import type { Pool, PoolStatus } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ErrorPanel } from "../../ui/error-panel";
import { ListView } from "../../ui/list-view";
import { LazyText } from "../../ui/lazy-text";
import { Page } from "../../ui/page";
import { Section } from "../../ui/section";
import { Ago } from "../../ui/time";
import { EdgeTabs } from "../routes/edge-tabs";
import { InForce } from "../routes/in-force";
import { LastError, Targets, TargetState } from "./target-state";
import { latencyInWords, targetsOf, upstreamsQuery } from "./upstreams";

const here = getRouteApi("/app/routes/pools");

interface Row extends Pool {
  status: PoolStatus | undefined;
}

const COLUMNS: Column<Row>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ id, name }) => (
      <Anchor component={Link} to={`/routes/pools/${id}`} inherit fw={500}>
        {name}
      </Anchor>
    ),
  },
  { header: "Servers", render: ({ status }) => <Servers status={status} /> },
  { header: "In flight", numeric: true, render: ({ status }) => status?.in_flight ?? "–" },
  { header: "Changed", sort: "updated_at", render: ({ updated_at }) => <Ago at={updated_at} /> },
];

export function PoolsScreen() {
  const { name, sort } = here.useSearch();
  const navigate = here.useNavigate();
  const upstreams = useQuery(upstreamsQuery);
  const list = useList({
    key: ["pools"],
    filter: contains("name", name),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/edge/pools", { params: { query }, signal })),
  });
  const standing = upstreams.data?.pools ?? [];
  const rows = list.rows.map((pool) => ({
    ...pool,
    status: standing.find((each) => each.name === pool.name),
  }));
  const show = (patch: { name?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const whole = !name && !list.pending && !list.more && !list.error;
  return (
    <Page
      title="Pools"
      lead="Servers that answer alike. Routes name a pool; it chooses one of its servers for each request."
      actions={
        <Allowed to="edge.routes.write">
          <Button component={Link} to="/routes/pools/new" leftSection={<Plus size={16} aria-hidden />}>
            New pool
          </Button>
        </Allowed>
      }
    >
      <EdgeTabs value="/routes/pools">
        <Stack gap="sm">
          <InForce />
          <Group>
            <LazyText label="Name" value={name} onChange={(next) => show({ name: next })} />
          </Group>
          {upstreams.error && <ErrorPanel error={upstreams.error} onRetry={() => void upstreams.refetch()} />}
          <ListView
            list={{ ...list, rows }}
            caption="Pools"
            columns={COLUMNS}
            rowKey={({ id }) => id}
            sort={sort}
            onSort={(next) => show({ sort: next })}
            empty={name ? "No pool has this in its name." : <NoPools />}
          />
          {whole && <OfTheFile standing={standing} rows={list.rows} />}
        </Stack>
      </EdgeTabs>
    </Page>
  );
}

/** Each server by a word and its figures. */
function Servers({ status }: { status: PoolStatus | undefined }) {
  if (!status) return <>not in force</>;
  return targetsOf(status).map((target, index) => (
    <div key={index}>
      <Group gap="xs">
        <TargetState target={target} />
        <Text span inherit style={{ overflowWrap: "anywhere" }}>
          {target.url}
        </Text>
      </Group>
      <Text size="sm" c="dimmed">
        {target.inFlight} in flight · {latencyInWords(target)} · {target.failures} of {target.requests} failed
      </Text>
      {target.lastError && (
        <Text size="sm" c="dimmed">
          Last error: <LastError target={target} />
        </Text>
      )}
    </div>
  ));
}

/** Pools that stand in the file of routes are seen here and changed there. */
function OfTheFile({ standing, rows }: { standing: PoolStatus[]; rows: Pool[] }) {
  const others = standing.filter((each) => !rows.some(({ name }) => name === each.name));
  return others.map((pool) => (
    <Section key={pool.name} title={pool.name} lead="From the file of routes; it is changed there.">
      <Targets pool={pool} />
    </Section>
  ));
}

function NoPools() {
  return (
    <>
      There are none yet. A pool is a list of servers with how one is chosen, how their health is looked
      after, and how long they may take.{" "}
      <Allowed to="edge.routes.write">
        <Anchor component={Link} to="/routes/pools/new" inherit underline="always">
          New pool
        </Anchor>
      </Allowed>
    </>
  );
}
