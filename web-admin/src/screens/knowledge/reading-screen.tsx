/** Documents on their way into the search: which state each is in, and why some are not found. */
import { Anchor, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { KnowledgeDocument } from "../../api/types";
import { useList } from "../../lists/use-list";
import { usePermissions } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ErrorPanel } from "../../ui/error-panel";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { StateFilter } from "../../ui/state-filter";
import { Ago } from "../../ui/time";
import { INGEST_STATES, IngestStatus } from "./ingest-status";
import { KnowledgeTabs } from "./knowledge-tabs";
import { POLL_MS } from "./use-reading";

const route = getRouteApi("/app/knowledge/reading");

const COLUMNS: Column<KnowledgeDocument>[] = [
  {
    header: "Document",
    render: ({ document, name, title }) => (
      <>
        <Anchor component={Link} to={`/vault/documents/${document}`} inherit fw={500}>
          {name}
        </Anchor>
        {title && (
          <Text size="sm" c="dimmed">
            {title}
          </Text>
        )}
      </>
    ),
  },
  { header: "State", render: (document) => <IngestStatus document={document} long /> },
  { header: "Passages", numeric: true, render: ({ passages_total }) => passages_total || "–" },
  { header: "Size", numeric: true, render: (document) => size(document.size) },
  { header: "Model", render: ({ model }) => model ?? "words alone" },
  { header: "Changed", sort: "updated_at", render: ({ updated_at }) => <Ago at={updated_at} /> },
];

export function ReadingScreen() {
  const { state, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const status = useStatus();
  const busy = (status.data?.in_progress ?? 0) > 0;
  const list = useList({
    key: ["reading", "list"],
    filter: eq("state", state),
    sort,
    refetchInterval: busy ? POLL_MS : undefined,
    load: (query, signal) => ask(api.GET("/api/v1/knowledge/documents", { params: { query }, signal })),
  });
  const client = useQueryClient();
  // The last document may have come to its end after the list was read for the last time.
  useEffect(() => {
    if (!busy) void client.invalidateQueries({ queryKey: ["reading", "list"] });
  }, [busy, client]);
  const again = useReread();
  const show = (patch: { state?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const actions: Column<KnowledgeDocument> = {
    header: "",
    render: (document) =>
      document.state === "failed" && (
        <Group justify="flex-end">
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`Read ${document.name} again`}
            loading={again.isPending && again.variables.id === document.document}
            onClick={() => again.mutate({ id: document.document })}
          >
            Read again
          </Button>
        </Group>
      ),
  };
  return (
    <Page
      title="Search"
      lead="Each upload is read, cut into passages and indexed, whatever happens meanwhile."
    >
      <KnowledgeTabs value="/knowledge/reading">
        <Stack>
          <QueryView query={status}>{(data) => <Figures {...data} />}</QueryView>
          <Group>
            <StateFilter
              label="State"
              states={INGEST_STATES}
              value={state}
              onChange={(next) => show({ state: next })}
            />
          </Group>
          {again.error && <ErrorPanel error={again.error} />}
          <ListView
            list={list}
            caption="Documents being read"
            columns={can("knowledge.write") ? [...COLUMNS, actions] : COLUMNS}
            rowKey={({ document }) => document}
            sort={sort}
            onSort={(next) => show({ sort: next })}
            empty={state ? "No document is in this state." : "No searchable documents yet."}
          />
        </Stack>
      </KnowledgeTabs>
    </Page>
  );
}

function useReread() {
  return useAction({
    run: ({ id }: { id: string }, headers) =>
      ask(api.POST("/api/v1/knowledge/documents/{id}/reread", { params: { path: { id } }, headers })),
    changes: [["reading"]],
    done: "It is being read again.",
  });
}

/** How the search stands, asked often while something is on its way and now and then otherwise. */
function useStatus() {
  return useQuery({
    queryKey: ["reading", "status"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/knowledge/status", { signal })),
    refetchInterval: ({ state }) => (state.data?.in_progress ? POLL_MS : 5 * POLL_MS),
  });
}

function Figures(status: { documents: number; passages: number; in_progress: number; failed: number }) {
  const figures = {
    "Documents found": status.documents,
    Passages: status.passages,
    "In progress": status.in_progress,
    Failed: status.failed,
  };
  return (
    <Section title="How the search stands">
      <SimpleGrid component="dl" cols={{ base: 2, sm: 4 }} m={0}>
        {Object.entries(figures).map(([name, figure]) => (
          <div key={name}>
            <Text component="dt" size="sm" c="dimmed">
              {name}
            </Text>
            <Text component="dd" m={0} fw={600} fz="lg">
              {figure.toLocaleString()}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Section>
  );
}
