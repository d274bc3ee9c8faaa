import { Group, Text } from "@mantine/core";
import mark from "./logo.svg";

/** The mark and the name; where room is short, the mark alone. */
export function Logo({ compact = false }: { compact?: boolean }) {
  return (
    <Group gap={9} wrap="nowrap">
      <img src={mark} width={26} height={26} alt="" />
      <Text fw={650} size="lg" lh={1} visibleFrom={compact ? "xs" : undefined}>
        Holdfast
      </Text>
    </Group>
  );
}
