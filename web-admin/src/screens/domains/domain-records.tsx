import { Code, Group } from "@mantine/core";
import type { Domain } from "../../api/types";
import { CopyButton } from "../../ui/copy-button";
import { DataTable, type Column } from "../../ui/data-table";
import { Section } from "../../ui/section";

type DnsRecord = Domain["records"][number];

const WHY: Record<string, string> = { proof: "Proves that it is yours", address: "Leads visitors here" };

const COLUMNS: Column<DnsRecord>[] = [
  { header: "Type", render: ({ type }) => <Code>{type}</Code> },
  {
    header: "Name",
    render: ({ type, name }) => <Copied value={name} label={`Copy the name of the ${type} record`} />,
  },
  {
    header: "Value",
    render: ({ type, value }) => <Copied value={value} label={`Copy the value of the ${type} record`} />,
  },
  { header: "Why", render: ({ purpose }) => WHY[purpose] ?? purpose },
];

/** What to set at the DNS provider, to be copied. */
export function DomainRecords({ domain: { records } }: { domain: Domain }) {
  return (
    <Section
      title="Records to set"
      lead="At the DNS provider of the domain. Keep the proof there for as long as the domain is yours."
    >
      <DataTable
        caption="Records to set"
        columns={COLUMNS}
        rows={records}
        rowKey={({ type, value }) => `${type} ${value}`}
      />
    </Section>
  );
}

function Copied({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Code style={{ overflowWrap: "anywhere" }}>{value}</Code>
      <CopyButton value={value} label={label} />
    </Group>
  );
}
