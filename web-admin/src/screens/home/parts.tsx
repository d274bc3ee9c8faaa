import { Group, Paper, SimpleGrid, Text } from "@mantine/core";
import type { Overview } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

type Part = Overview["parts"][number];

const TONE: Record<Part["status"], Tone> = { up: "ok", degraded: "warn", down: "bad" };

/** The health of each part the process stands on. */
export function Parts({ parts }: { parts: Part[] }) {
  return (
    <SimpleGrid component="section" aria-label="Health" cols={{ base: 1, xs: 2, md: 4 }} spacing="sm">
      {parts.map((part) => (
        <Paper key={part.name} withBorder p="sm">
          <Group justify="space-between" align="flex-start" wrap="nowrap">
            <Text fw={600} size="md">
              {part.name}
            </Text>
            <Status tone={TONE[part.status]}>{part.status}</Status>
          </Group>
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {[part.detail, latency(part.latency_ms)].filter(Boolean).join(" · ") || "\u00a0"}
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function latency(ms: number | null | undefined): string | null {
  return typeof ms === "number" ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : null;
}
