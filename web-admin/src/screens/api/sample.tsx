import { Code, Group, Text } from "@mantine/core";
import { CopyButton } from "../../ui/copy-button";
import classes from "./sample.module.css";

export function Sample({ title, command }: { title: string; command: string }) {
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="md" fw={500}>
          {title}
        </Text>
        <CopyButton value={command} label={`Copy: ${title}`} />
      </Group>
      <Code block className={classes.command}>
        {command}
      </Code>
    </div>
  );
}
