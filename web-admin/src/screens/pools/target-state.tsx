import { Text } from "@mantine/core";
import { Status } from "../../ui/status";
import { duration } from "../../ui/time";
import { latencyInWords, stateInWords, targetsOf, toneOf, type Target } from "./upstreams";
import type { PoolStatus } from "../../api/types";
import { DataTable, type Column } from "../../ui/data-table";

export function TargetState({ target }: { target: Target }) {
  return <Status tone={toneOf(target)}>{stateInWords(target)}</Status>;
}

const COLUMNS: Column<Target>[] = [
  { header: "Server", render: ({ url }) => url },
  { header: "State", render: (target) => <TargetState target={target} /> },
  { header: "In flight", numeric: true, render: ({ inFlight }) => inFlight },
  { header: "Latency", numeric: true, render: latencyInWords },
  { header: "Requests", numeric: true, render: ({ requests }) => requests },
  {
    header: "Failures",
    numeric: true,
    render: ({ failures }) => (
      <Text span inherit c={failures > 0 ? "var(--holdfast-bad)" : undefined}>
        {failures}
      </Text>
    ),
  },
  { header: "Last error", render: (target) => <LastError target={target} /> },
];

/** Each server of a pool with its figures. */
export function Targets({ pool }: { pool: PoolStatus }) {
  const targets = targetsOf(pool);
  if (targets.length === 0) return <Text c="dimmed">It has no server.</Text>;
  return (
    <DataTable
      caption={`Servers of ${pool.name}`}
      columns={COLUMNS}
      // A server that leaves may stand beside its successor at the same address.
      rows={targets}
      rowKey={(target) => `${target.url} ${target.state === "draining" ? targets.indexOf(target) : ""}`}
    />
  );
}

export function LastError({ target: { lastError } }: { target: Target }) {
  return lastError && `${lastError.sentence} (${duration(lastError.secondsAgo)} ago)`;
}
