/** The requests of the edge as they come. */
import { Button, Center, Group, Paper, Skeleton, Stack, Text, UnstyledButton } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Pause, Play } from "lucide-react";
import { useState } from "react";
import type { EdgeRequest } from "../../api/types";
import { DataTable, type Column } from "../../ui/data-table";
import { ErrorPanel } from "../../ui/error-panel";
import { Notice } from "../../ui/notice";
import { Page } from "../../ui/page";
import { Status } from "../../ui/status";
import { At } from "../../ui/time";
import { RequestDrawer } from "./request-drawer";
import { TrafficFilters } from "./traffic-filters";
import classes from "./traffic.module.css";
import { useTail } from "./use-tail";
import { filterOf, placeOf, toneOf, took, type TrafficSearch } from "./words";

const route = getRouteApi("/app/traffic");

function columns(open: (request: EdgeRequest) => void): Column<EdgeRequest>[] {
  return [
    {
      header: "Request",
      render: (request) => (
        <UnstyledButton className={classes.open} onClick={() => open(request)}>
          {request.method} {request.path}
        </UnstyledButton>
      ),
    },
    {
      header: "Status",
      render: (request) => <Status tone={toneOf(request)}>{String(request.status)}</Status>,
    },
    { header: "Took", numeric: true, render: ({ duration_us }) => took(duration_us) },
    { header: "Host", render: ({ host }) => host ?? "–" },
    { header: "Went to", render: (request) => placeOf(request) },
    { header: "Address", render: ({ address }) => address },
    { header: "When", render: ({ at }) => <At at={at} /> },
  ];
}

export function TrafficScreen() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [paused, setPaused] = useState(false);
  const [opened, setOpened] = useState<EdgeRequest>();
  const filter = filterOf(search);
  const { rows, missed, connected, error, retry } = useTail(filter, paused);
  const show = (patch: TrafficSearch) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const Toggle = paused ? Play : Pause;
  return (
    <Page
      title="Traffic"
      lead="The requests of the server that answers you, as they come. Queries, header fields and bodies are never seen here."
      actions={
        <Button
          variant="default"
          leftSection={<Toggle size={15} aria-hidden />}
          onClick={() => setPaused(!paused)}
        >
          {paused ? "Go on" : "Pause"}
        </Button>
      }
    >
      <TrafficFilters search={search} onChange={show} />
      {error !== null && <ErrorPanel error={error} onRetry={retry} />}
      {missed > 0 && (
        <Notice tone="warn">
          {missed === 1 ? "1 request" : `${missed} requests`} came faster than they could be shown.
        </Notice>
      )}
      {(rows !== null || error === null) && (
        <Stack gap="sm">
          <Rows rows={rows} filtered={filter !== undefined} onOpen={setOpened} />
          <Standing paused={paused} connected={connected} />
        </Stack>
      )}
      <RequestDrawer request={opened} onClose={() => setOpened(undefined)} />
    </Page>
  );
}

function Standing({ paused, connected }: { paused: boolean; connected: boolean }) {
  const [tone, words] = paused
    ? (["idle", "Paused"] as const)
    : connected
      ? (["ok", "Live"] as const)
      : (["busy", "Connecting"] as const);
  return (
    <Group mih={30}>
      <Text size="sm" c="dimmed" role="status" component="div">
        <Status tone={tone}>{words}</Status>
      </Text>
    </Group>
  );
}

interface RowsProps {
  rows: EdgeRequest[] | null;
  filtered: boolean;
  onOpen: (request: EdgeRequest) => void;
}

function Rows({ rows, filtered, onOpen }: RowsProps) {
  if (rows === null)
    return (
      <Paper withBorder p="md" role="status" aria-label="Loading">
        <Skeleton height={120} />
      </Paper>
    );
  return (
    <Paper withBorder>
      {rows.length > 0 ? (
        <DataTable
          caption="Requests"
          columns={columns(onOpen)}
          rows={rows}
          rowKey={({ number }) => String(number)}
        />
      ) : (
        <Center p="xl">
          <Text size="md" c="dimmed" ta="center">
            {filtered
              ? "No recent request is like this. New ones are shown as they come."
              : "There is no request yet. New ones are shown as they come."}
          </Text>
        </Center>
      )}
    </Paper>
  );
}
