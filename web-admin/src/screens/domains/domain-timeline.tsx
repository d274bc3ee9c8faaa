import { Text } from "@mantine/core";
import { api, ask } from "../../api/client";
import type { DomainStep } from "../../api/types";
import { useList } from "../../lists/use-list";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Section } from "../../ui/section";
import { Ago } from "../../ui/time";

const COLUMNS: Column<DomainStep>[] = [
  {
    header: "When",
    render: ({ at, last_at, times }) => (
      <>
        <Ago at={last_at} />
        {times > 1 && (
          <Text size="sm" c="dimmed">
            {times} times, first <Ago at={at} />
          </Text>
        )}
      </>
    ),
  },
  { header: "About", render: ({ about }) => about },
  { header: "State", render: ({ status }) => status },
  {
    header: "What happened",
    render: ({ sentence, evidence, mend, code }) => (
      <>
        {sentence}
        {mend && <Text size="sm">{mend}</Text>}
        {evidence.map((line) => (
          <Text key={line} size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {line}
          </Text>
        ))}
        {code && (
          <Text size="sm" c="dimmed">
            {code}
          </Text>
        )}
      </>
    ),
  },
  { header: "Next try", render: ({ next_try_at }) => <Ago at={next_try_at} /> },
];

const REFRESH_MS = 5_000;

/** Every step of the domain and of its certificate, the newest first. */
export function DomainTimeline({ id }: { id: string }) {
  const list = useList({
    key: ["domains", "timeline", id],
    limit: 20,
    load: (query, signal) =>
      ask(api.GET("/api/v1/tenancy/domains/{id}/timeline", { params: { path: { id }, query }, signal })),
    refetchInterval: REFRESH_MS,
  });
  return (
    <Section title="What happened">
      <ListView
        list={list}
        caption="Steps"
        columns={COLUMNS}
        rowKey={(step) => step.id}
        empty="Nothing yet. The first check comes within seconds."
      />
    </Section>
  );
}
