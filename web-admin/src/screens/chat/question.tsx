import { Button, Group, Paper, Stack, Text, Textarea } from "@mantine/core";
import { Pencil } from "lucide-react";
import { useState } from "react";
import type { Message } from "../../api/types";
import classes from "./message.module.css";
import { Siblings } from "./siblings";

type Props =
  | {
      message: Message;
      /** Asks in other words, in a branch of its own. */
      onEdit?: (content: string) => void;
      onSwitch: (sibling: string) => void;
    }
  | { content: string };

export function Question(props: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const message = "message" in props ? props : null;
  const content = "message" in props ? props.message.content : props.content;
  const send = () => {
    message?.onEdit?.(draft?.trim() ?? "");
    setDraft(null);
  };
  return (
    <Paper component="article" aria-label="Question" withBorder p="sm" className={classes.question}>
      <Stack gap="xs">
        <Text size="sm" c="dimmed" fw={600}>
          You
        </Text>
        {draft === null ? (
          <Text size="md" className={classes.text}>
            {content}
          </Text>
        ) : (
          <Textarea
            aria-label="The question in other words"
            autosize
            maxRows={12}
            value={draft}
            onChange={(event) => setDraft(event.currentTarget.value)}
          />
        )}
        {message && (
          <Group gap="xs">
            <Siblings message={message.message} onSwitch={message.onSwitch} />
            {message.onEdit && draft === null && (
              <Button
                size="compact-sm"
                variant="subtle"
                leftSection={<Pencil size={13} aria-hidden />}
                onClick={() => setDraft(content)}
              >
                Edit
              </Button>
            )}
            {draft !== null && (
              <>
                <Button size="compact-sm" disabled={draft.trim() === ""} onClick={send}>
                  Ask in a new branch
                </Button>
                <Button size="compact-sm" variant="default" onClick={() => setDraft(null)}>
                  Cancel
                </Button>
              </>
            )}
          </Group>
        )}
      </Stack>
    </Paper>
  );
}
