/** An answer: its text with what it rests on, who wrote it, and how it ended. */
import { Button, Group, Loader, Paper, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Square } from "lucide-react";
import type { Answer, Message } from "../../api/types";
import type { OpenPassage } from "../vault/passage-drawer";
import { CitedText, Sources } from "./cited-text";
import { Ending, NoEvidence } from "./ending";
import type { LiveAnswer } from "./live-answer";
import { answerQuery } from "./queries";
import { Siblings } from "./siblings";

interface Props {
  message: Message;
  /** How its stream ended, where it was listened to. */
  live: LiveAnswer | undefined;
  /** Asks the same question once more. */
  onAskAgain?: () => void;
  onSwitch: (sibling: string) => void;
  onOpen: (passage: OpenPassage) => void;
}

export function AnswerView({ message, live, onAskAgain, onSwitch, onOpen }: Props) {
  const answer = useQuery({ ...answerQuery(message.answer ?? ""), enabled: !!message.answer });
  const { content, citations, withheld } = message;
  // What is kept of an answer tells the reason also after a reload; its stream tells it a moment earlier.
  const reason = answer.data?.reason?.detail ?? live?.end?.detail ?? null;
  const bare = answer.data?.state === "done" && !withheld && answer.data.reason;
  return (
    <Paper component="article" aria-label="Answer" withBorder p="sm">
      <Stack gap="sm">
        <Writer answer={answer.data} />
        {content && <CitedText text={content} citations={citations} onOpen={onOpen} />}
        {bare && <NoEvidence>{bare.detail}</NoEvidence>}
        <Ending state={withheld ? "revoked" : answer.data?.state} reason={reason} onAskAgain={onAskAgain} />
        <Sources citations={citations} onOpen={onOpen} />
        <Siblings message={message} onSwitch={onSwitch} />
      </Stack>
    </Paper>
  );
}

/** Which provider answered, or that none did. */
function Writer({ answer }: { answer: Answer | undefined }) {
  const extractive = answer?.provider === "extractive";
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed" fw={600}>
        Holdfast
      </Text>
      {extractive && (
        <Text size="sm" c="var(--holdfast-warn)">
          Extractive: made of the passages alone, no model answered
        </Text>
      )}
      {answer?.provider && !extractive && (
        <Text size="sm" c="dimmed">
          answered by {answer.provider}
          {answer.model && ` with ${answer.model}`}
        </Text>
      )}
    </Group>
  );
}

/** Why an answer rests on no document, while it is being written; afterwards the server says it in its own words. */
const LACK: Record<string, string | undefined> = {
  nothing_found:
    "Nothing was found in the documents that were searched, so nothing stands behind this answer.",
  nothing_cited: "This answer cites none of the passages that were found; check it elsewhere.",
};

interface LiveProps {
  answer: LiveAnswer;
  stop: {
    mutate: (input: { id: string }) => void;
    isPending: boolean;
  };
  onOpen: (passage: OpenPassage) => void;
}

/** An answer that is being written. */
export function LiveAnswerView({ answer, stop, onOpen }: LiveProps) {
  const { id, passages, rung, text, citations, noEvidence, end } = answer;
  return (
    <Paper component="article" aria-label="Answer being written" withBorder p="sm">
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="xs">
            <Loader size="xs" aria-hidden />
            <Text size="sm" c="dimmed">
              {passages === null ? "Looking for passages" : found(passages.length, rung)}
            </Text>
          </Group>
          {id && !end && (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Square size={12} aria-hidden />}
              loading={stop.isPending}
              onClick={() => stop.mutate({ id })}
            >
              Stop
            </Button>
          )}
        </Group>
        {text && <CitedText text={text} citations={citations} onOpen={onOpen} />}
        {noEvidence && <NoEvidence>{LACK[noEvidence]}</NoEvidence>}
      </Stack>
    </Paper>
  );
}

function found(passages: number, rung: string | null): string {
  const count = passages === 1 ? "1 passage" : `${passages} passages`;
  return `${count} found${rung ? ` by ${rung} search` : ""}`;
}
