import { Stack, Text, Title } from "@mantine/core";
import type { LimitedClient, LimitSimulation, LimitToll } from "../../api/types";
import { DataTable, type Column } from "../../ui/data-table";
import { Facts } from "../../ui/facts";
import { At } from "../../ui/time";
import { shareInWords, subjectInWords } from "./words";

const CLIENTS: Column<LimitedClient>[] = [
  { header: "Client", render: ({ who }) => clientInWords(who) },
  { header: "Requests", numeric: true, render: ({ requests }) => requests },
  { header: "Refused", numeric: true, render: ({ refused }) => refused },
];

const TOLLS: Column<LimitToll>[] = [
  { header: "Limit", render: ({ name }) => name },
  { header: "Refused", numeric: true, render: ({ refused }) => refused },
  { header: "Would have refused", numeric: true, render: ({ would_refuse }) => would_refuse },
];

/** What a limit would have done. */
export function Outcome({ told }: { told: LimitSimulation }) {
  if (told.requests === 0)
    return (
      <Text c="dimmed" role="status">
        No recent request is like this, so there is nothing to count.
      </Text>
    );
  return (
    <Stack gap="sm">
      <div role="status">
        <Title order={3}>
          {told.refused === 0 ? "It would have refused nothing." : "It would have refused some."}
        </Title>
      </div>
      <Facts
        items={{
          "Requests refused": shareInWords(told.refused, told.requests),
          "Clients hit": shareInWords(told.clients_refused, told.clients),
          From: <At at={told.from} />,
          To: <At at={told.to} />,
        }}
      />
      <DataTable
        caption="Clients with the most refusals"
        columns={CLIENTS}
        rows={told.top}
        rowKey={({ who }) => clientInWords(who)}
      />
      <Title order={3}>What the limits in force did to the same requests</Title>
      <DataTable
        caption="Limits in force, on the same requests"
        columns={TOLLS}
        rows={told.in_force}
        rowKey={({ name }) => name}
      />
    </Stack>
  );
}

function clientInWords(who: LimitedClient["who"]): string {
  return who.map(({ by, value }) => `${subjectInWords(by)} ${value || "of no route"}`).join(", ");
}
