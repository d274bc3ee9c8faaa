import { Button, Text } from "@mantine/core";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import type { Answer } from "../../api/types";
import { Notice } from "../../ui/notice";
import type { Tone } from "../../ui/status";

const ENDINGS: Partial<Record<Answer["state"], { tone: Tone; title: string; text: string }>> = {
  stopped: { tone: "idle", title: "Stopped", text: "You stopped this answer; what came until then is kept." },
  interrupted: {
    tone: "warn",
    title: "Interrupted",
    text: "The server was stopped in the middle of this answer. What came until then is kept.",
  },
  revoked: {
    tone: "bad",
    title: "Revoked",
    text: "The right to read what this answer is made from was taken away, so it is withheld.",
  },
  failed: { tone: "bad", title: "No answer", text: "This question could not be answered." },
};

interface Props {
  state: Answer["state"] | undefined;
  /** Why, in the server's words. */
  reason: string | null;
  onAskAgain?: () => void;
}

/** How an answer ended, where it did not end whole. */
export function Ending({ state, reason, onAskAgain }: Props) {
  const ending = state && ENDINGS[state];
  if (!ending) return null;
  return (
    <Notice tone={ending.tone} title={ending.title} p="xs">
      <Text size="md">{reason ?? ending.text}</Text>
      {state !== "revoked" && onAskAgain && (
        <Button
          size="compact-sm"
          variant="default"
          mt="xs"
          leftSection={<RotateCw size={13} aria-hidden />}
          onClick={onAskAgain}
        >
          Ask again
        </Button>
      )}
    </Notice>
  );
}

/** That nothing in the documents stands behind an answer, and why. */
export function NoEvidence({ children }: { children: ReactNode }) {
  return (
    <Notice tone="warn" title="No evidence" p="xs">
      <Text size="md">{children ?? "No passage of the documents stands behind this answer."}</Text>
    </Notice>
  );
}
