import { Button, Group } from "@mantine/core";
import { LazyText } from "../../ui/lazy-text";
import { StateFilter } from "../../ui/state-filter";
import { CLASSES, filterOf, METHODS, type TrafficSearch } from "./words";

interface Props {
  search: TrafficSearch;
  onChange: (patch: TrafficSearch) => void;
}

const NONE: TrafficSearch = {
  method: undefined,
  host: undefined,
  path: undefined,
  status: undefined,
  route: undefined,
  address: undefined,
  tenant: undefined,
  took: undefined,
};

export function TrafficFilters({ search, onChange }: Props) {
  return (
    <Group align="flex-end" gap="xs" component="search">
      <StateFilter
        label="Method"
        states={METHODS}
        value={search.method}
        onChange={(method) => onChange({ method })}
      />
      <StateFilter
        label="Status"
        states={CLASSES}
        value={search.status}
        onChange={(status) => onChange({ status })}
      />
      <LazyText label="Host" value={search.host} onChange={(host) => onChange({ host })} />
      <LazyText
        label="Path begins with"
        placeholder="/shop/"
        value={search.path}
        onChange={(path) => onChange({ path })}
      />
      <LazyText label="Route" value={search.route} onChange={(route) => onChange({ route })} />
      <LazyText label="Address" value={search.address} onChange={(address) => onChange({ address })} />
      <LazyText label="Tenant" value={search.tenant} onChange={(tenant) => onChange({ tenant })} />
      <LazyText
        label="At least so many ms"
        placeholder="250"
        value={search.took}
        onChange={(ms) => onChange({ took: ms })}
      />
      {filterOf(search) && (
        <Button variant="subtle" onClick={() => onChange(NONE)}>
          Clear
        </Button>
      )}
    </Group>
  );
}
