import { SimpleGrid, Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { Overview } from "../../api/types";
import { Section } from "../../ui/section";

/** The charts are the heaviest part of the console, so they come after the rest of the screen. */
const TimeChart = lazy(() => import("./time-chart"));

export function Traffic({ requests }: { requests: Overview["requests"] }) {
  const { sample_seconds: seconds } = requests;
  const points = requests.samples.map((sample) => ({
    time: new Date(sample.at).toLocaleTimeString(),
    requests: sample.requests / seconds,
    errors: sample.errors / seconds,
    p50: sample.p50_ms,
    p99: sample.p99_ms,
  }));
  const last = points.at(-1);
  const rate = `${figure(last?.requests)} requests a second, ${figure(last?.errors)} of them errors`;
  const latency = `half within ${milliseconds(last?.p50)}, 99 % within ${milliseconds(last?.p99)}`;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Section title="Requests" lead={rate}>
        <Suspense fallback={<Skeleton height={180} />}>
          <TimeChart
            label={`Requests over the last five minutes; now ${rate}`}
            data={points}
            format={perSecond}
            series={[
              { name: "requests", label: "Requests", color: "var(--holdfast-ok)" },
              { name: "errors", label: "Errors", color: "var(--holdfast-bad)" },
            ]}
          />
        </Suspense>
      </Section>
      <Section title="Latency" lead={latency}>
        <Suspense fallback={<Skeleton height={180} />}>
          <TimeChart
            label={`Latency over the last five minutes; now ${latency}`}
            data={points}
            format={milliseconds}
            series={[
              { name: "p50", label: "Median", color: "var(--holdfast-busy)" },
              { name: "p99", label: "99th percentile", color: "var(--holdfast-warn)" },
            ]}
          />
        </Suspense>
      </Section>
    </SimpleGrid>
  );
}

function perSecond(value: number): string {
  return `${figure(value)}/s`;
}

function milliseconds(value = 0): string {
  return value < 1000 ? `${figure(value)} ms` : `${figure(value / 1000)} s`;
}

function figure(value = 0): string {
  return value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 });
}
