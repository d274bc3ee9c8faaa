import { Alert, type AlertProps } from "@mantine/core";
import type { Tone } from "./status";

/** A boxed remark: the edge has the colour, the words keep their contrast. */
export function Notice({ tone, ...alert }: AlertProps & { tone: Tone }) {
  const edge = `var(--holdfast-${tone})`;
  return (
    <Alert
      variant="default"
      // Most remarks stand there from the beginning; what comes up and must be read out says `alert` itself.
      role="note"
      styles={{
        root: { borderInlineStart: `3px solid ${edge}` },
        title: { color: "var(--mantine-color-text)" },
        message: { color: "var(--mantine-color-text)" },
        icon: { color: edge },
      }}
      {...alert}
    />
  );
}
