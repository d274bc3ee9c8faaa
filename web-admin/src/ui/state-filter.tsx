import { Select } from "@mantine/core";

interface Props {
  label: string;
  states: readonly string[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** Narrows a list to one value out of a closed set. */
export function StateFilter({ label, states, value, onChange }: Props) {
  return (
    <Select
      label={label}
      placeholder="All"
      size="sm"
      w={{ base: "100%", xs: 150 }}
      data={[...states]}
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
      clearable
      clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()}` }}
    />
  );
}
