/** Shows a secret that the server tells only once. */
import { Button, Code, Group, Modal, Stack, Text } from "@mantine/core";
import { KeyRound } from "lucide-react";
import { CopyButton } from "./copy-button";
import { Notice } from "./notice";

interface Props {
  title: string;
  /** What it is good for. */
  children: React.ReactNode;
  secret: string | null;
  label: string;
  onClose: () => void;
}

export function SecretDialog({ title, children, secret, label, onClose }: Props) {
  return (
    <Modal opened={secret !== null} onClose={onClose} title={title} closeOnClickOutside={false} size="lg">
      <Stack>
        <Text size="md">{children}</Text>
        <Group wrap="nowrap" gap="xs">
          <Code
            block
            flex={1}
            aria-label={label}
            style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
          >
            {secret}
          </Code>
          <CopyButton value={secret ?? ""} label={`Copy ${label.toLowerCase()}`} />
        </Group>
        <Notice tone="warn" icon={<KeyRound size={18} aria-hidden />} p="xs">
          This is shown once. Copy it now; it cannot be read again.
        </Notice>
        <Group justify="flex-end">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
