/** The one way an error is shown: the sentence, the code and the request id, and what can be done now. */
import { Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { CircleAlert, RotateCw } from "lucide-react";
import { problemOf } from "../api/problem";
import { CopyButton } from "./copy-button";
import { Notice } from "./notice";

interface Props {
  error: unknown;
  /** Tries again, or reloads what has changed meanwhile. */
  onRetry?: () => void;
}

export function ErrorPanel({ error, onRetry }: Props) {
  const problem = problemOf(error);
  const stale = problem.status === 412;
  return (
    <Notice
      tone="bad"
      role="alert"
      icon={<CircleAlert size={18} aria-hidden />}
      title={stale ? "Changed meanwhile" : problem.title}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="md">
          {problem.detail}
          {stale && " Reload to see the present state, then make your change again."}
        </Text>
        {problem.errors.length > 0 && (
          <List size="sm">
            {problem.errors.map((item, index) => (
              // One field may be at fault twice in the same way.
              <List.Item key={index}>
                {item.path && <Code>{item.path}</Code>} {item.detail}
              </List.Item>
            ))}
          </List>
        )}
        <Group gap="xs">
          <Code>{problem.code}</Code>
          {problem.request_id && (
            <Group gap={4} wrap="nowrap">
              <Text size="sm" c="dimmed">
                Request <Code>{problem.request_id}</Code>
              </Text>
              <CopyButton value={problem.request_id} label="Copy request id" />
            </Group>
          )}
        </Group>
        {onRetry && (
          <Button
            variant="default"
            size="xs"
            leftSection={<RotateCw size={14} aria-hidden />}
            onClick={onRetry}
          >
            {stale ? "Reload" : "Try again"}
          </Button>
        )}
      </Stack>
    </Notice>
  );
}
