import { Button, Group, TextInput } from "@mantine/core";
import { StateFilter } from "../../ui/state-filter";
import { LazyText } from "../../ui/lazy-text";
import { OUTCOMES } from "./outcome-status";

export interface AuditSearch {
  actor?: string;
  action?: string;
  outcome?: string;
  since?: string;
  until?: string;
}

interface Props {
  search: AuditSearch;
  onChange: (patch: AuditSearch) => void;
}

const NONE: AuditSearch = {
  actor: undefined,
  action: undefined,
  outcome: undefined,
  since: undefined,
  until: undefined,
};

export function AuditFilters({ search, onChange }: Props) {
  const narrowed = Object.keys(NONE).some((key) => search[key as keyof AuditSearch]);
  return (
    <Group align="flex-end" gap="xs" component="search">
      <LazyText
        label="Actor id"
        placeholder="usr_…"
        value={search.actor}
        onChange={(actor) => onChange({ actor })}
      />
      <LazyText
        label="Action begins with"
        placeholder="tenancy."
        value={search.action}
        onChange={(action) => onChange({ action })}
      />
      <StateFilter
        label="Outcome"
        states={OUTCOMES}
        value={search.outcome}
        onChange={(outcome) => onChange({ outcome })}
      />
      <Moment label="From" value={search.since} onChange={(since) => onChange({ since })} />
      <Moment label="Before" value={search.until} onChange={(until) => onChange({ until })} />
      {narrowed && (
        <Button variant="subtle" onClick={() => onChange(NONE)}>
          Clear
        </Button>
      )}
    </Group>
  );
}

interface MomentProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function Moment({ label, value, onChange }: MomentProps) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      size="sm"
      w={{ base: "100%", xs: 192 }}
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}
