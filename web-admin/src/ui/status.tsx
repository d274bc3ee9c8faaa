import { Group, Text } from "@mantine/core";

export type Tone = "ok" | "warn" | "bad" | "busy" | "idle";

/** A state as a coloured dot beside its name: the colour helps, the word tells. */
export function Status({ tone, children }: { tone: Tone; children: string }) {
  return (
    <Group component="span" gap={7} wrap="nowrap" display="inline-flex" style={{ whiteSpace: "nowrap" }}>
      <span
        aria-hidden
        style={{ width: 8, height: 8, borderRadius: 4, flex: "none", background: `var(--holdfast-${tone})` }}
      />
      <Text span inherit>
        {children}
      </Text>
    </Group>
  );
}
