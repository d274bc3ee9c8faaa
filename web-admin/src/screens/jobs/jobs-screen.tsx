import { Anchor, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { all, eq } from "../../api/filter";
import type { Job } from "../../api/types";
import { useList } from "../../lists/use-list";
import type { Column } from "../../ui/data-table";
import { LazyText } from "../../ui/lazy-text";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Queues } from "../../ui/queues";
import { StateFilter } from "../../ui/state-filter";
import { Ago } from "../../ui/time";
import { JOB_STATES, JobStatus } from "./job-status";

const route = getRouteApi("/app/jobs");

const POLL_MS = 5_000;

const COLUMNS: Column<Job>[] = [
  {
    header: "Kind",
    render: ({ id, kind }) => (
      <Anchor component={Link} to={`/jobs/${id}`} inherit fw={500}>
        {kind}
      </Anchor>
    ),
  },
  { header: "Queue", render: ({ queue }) => queue },
  { header: "State", render: ({ state }) => <JobStatus state={state} /> },
  {
    header: "Attempt",
    numeric: true,
    render: ({ attempt, max_attempts }) => `${attempt} of ${max_attempts}`,
  },
  { header: "Runs", sort: "run_at", render: ({ run_at }) => <Ago at={run_at} /> },
  { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function JobsScreen() {
  const { state, queue, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList({
    key: ["jobs"],
    filter: all(eq("state", state), eq("queue", queue)),
    sort,
    refetchInterval: POLL_MS,
    load: (query, signal) => ask(api.GET("/api/v1/jobs", { params: { query }, signal })),
  });
  const show = (patch: { state?: string; queue?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Jobs"
      lead="Work that the server does after the answer: each survives a crash and runs again."
    >
      <Stats />
      <Group align="flex-end" gap="xs">
        <StateFilter
          label="State"
          states={JOB_STATES}
          value={state}
          onChange={(next) => show({ state: next })}
        />
        <LazyText label="Queue" value={queue} onChange={(next) => show({ queue: next })} />
      </Group>
      <ListView
        list={list}
        caption="Jobs"
        columns={COLUMNS}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => show({ sort: next })}
        empty={state || queue ? "No job matches these filters." : "No job has run yet."}
      />
    </Page>
  );
}

function Stats() {
  const stats = useQuery({
    queryKey: ["jobs", "stats"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/jobs/stats", { signal })),
    refetchInterval: POLL_MS,
  });
  return <QueryView query={stats}>{({ queues }) => <Queues queues={queues} />}</QueryView>;
}
