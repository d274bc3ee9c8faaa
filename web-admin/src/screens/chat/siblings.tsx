import { ActionIcon, Group, Text } from "@mantine/core";
import { ChevronLeft, ChevronRight } from "lucide-react";
import type { Message } from "../../api/types";

/** Which of several wordings this is, and the way to the others. */
export function Siblings({ message, onSwitch }: { message: Message; onSwitch: (sibling: string) => void }) {
  const { id, siblings } = message;
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(id);
  const step = (to: number, label: string, Icon: typeof ChevronLeft) => {
    const sibling = siblings[to];
    return (
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={label}
        disabled={sibling === undefined}
        onClick={() => sibling && onSwitch(sibling)}
      >
        <Icon size={14} aria-hidden />
      </ActionIcon>
    );
  };
  return (
    <Group gap={2} role="group" aria-label="Branches">
      {step(at - 1, "Earlier branch", ChevronLeft)}
      <Text size="sm">
        {at + 1} of {siblings.length}
      </Text>
      {step(at + 1, "Later branch", ChevronRight)}
    </Group>
  );
}
