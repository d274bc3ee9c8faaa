/** What is done with requests that are not for Holdfast itself. */
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { api, ask } from "../../api/client";
import { contains } from "../../api/filter";
import type { Route } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { LazyText } from "../../ui/lazy-text";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Status } from "../../ui/status";
import { Ago } from "../../ui/time";
import { EdgeTabs } from "./edge-tabs";
import { InForce } from "./in-force";
import { PurgeCache } from "./purge-cache";
import { actionInWords, modifiersInWords, requestsInWords } from "./words";

const route = getRouteApi("/app/routes");

const COLUMNS: Column<Route>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ id, name }) => (
      <Anchor component={Link} to={`/routes/${id}`} inherit fw={500}>
        {name}
      </Anchor>
    ),
  },
  { header: "Priority", numeric: true, render: ({ priority }) => priority },
  {
    header: "State",
    render: ({ enabled }) => <Status tone={enabled ? "ok" : "idle"}>{enabled ? "on" : "off"}</Status>,
  },
  { header: "Requests", render: ({ match }) => requestsInWords(match) },
  {
    header: "What is done",
    render: ({ action, modifiers }) => (
      <>
        {actionInWords(action)}
        <Text size="sm" c="dimmed">
          {modifiersInWords(modifiers)}
        </Text>
      </>
    ),
  },
  { header: "Changed", sort: "updated_at", render: ({ updated_at }) => <Ago at={updated_at} /> },
];

export function RoutesScreen() {
  const { name, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList({
    key: ["routes"],
    filter: contains("name", name),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/edge/routes", { params: { query }, signal })),
  });
  const show = (patch: { name?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Routes"
      lead="Other services, folders, redirects and fixed answers. What no route takes goes to Holdfast itself."
      actions={
        <Allowed to="edge.routes.write">
          <PurgeCache />
          <Button component={Link} to="/routes/new" leftSection={<Plus size={16} aria-hidden />}>
            New route
          </Button>
        </Allowed>
      }
    >
      <EdgeTabs value="/routes">
        <Stack gap="sm">
          <InForce />
          <Group>
            <LazyText label="Name" value={name} onChange={(next) => show({ name: next })} />
          </Group>
          <ListView
            list={list}
            caption="Routes"
            columns={COLUMNS}
            rowKey={({ id }) => id}
            sort={sort}
            onSort={(next) => show({ sort: next })}
            empty={name ? "No route has this in its name." : <NoRoutes />}
          />
        </Stack>
      </EdgeTabs>
    </Page>
  );
}

function NoRoutes() {
  return (
    <>
      There are none yet: every request goes to Holdfast itself. A route takes requests by host, path, method,
      header or address, and sends them to a pool of servers, or answers them.{" "}
      <Allowed to="edge.routes.write">
        <Anchor component={Link} to="/routes/new" inherit underline="always">
          New route
        </Anchor>
      </Allowed>
    </>
  );
}
