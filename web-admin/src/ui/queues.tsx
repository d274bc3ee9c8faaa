import { Text } from "@mantine/core";
import type { QueueStats } from "../api/types";
import { DataTable, type Column } from "./data-table";
import { Section } from "./section";
import { duration } from "./time";

const COLUMNS: Column<QueueStats>[] = [
  { header: "Queue", render: ({ queue }) => queue },
  { header: "Ready", numeric: true, render: ({ ready }) => ready },
  { header: "Running", numeric: true, render: ({ running }) => running },
  { header: "Scheduled", numeric: true, render: ({ scheduled }) => scheduled },
  { header: "Retrying", numeric: true, render: ({ retrying }) => retrying },
  {
    header: "Dead",
    numeric: true,
    render: ({ dead }) => (
      <Text span inherit c={dead > 0 ? "var(--holdfast-bad)" : undefined}>
        {dead}
      </Text>
    ),
  },
  {
    header: "Oldest ready",
    numeric: true,
    render: ({ oldest_ready_seconds: age }) => (typeof age === "number" ? duration(age) : "–"),
  },
];

/** How deep each queue is. */
export function Queues({ queues }: { queues: QueueStats[] }) {
  return (
    <Section title="Queues">
      {queues.length > 0 ? (
        <DataTable caption="Queues" columns={COLUMNS} rows={queues} rowKey={({ queue }) => queue} />
      ) : (
        <Text c="dimmed">No job has run yet.</Text>
      )}
    </Section>
  );
}
