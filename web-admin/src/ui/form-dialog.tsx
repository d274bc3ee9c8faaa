/** A dialog that sends something: fields, the error if it was refused, cancel and submit. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode, SyntheticEvent } from "react";
import { ErrorPanel } from "./error-panel";

interface Props {
  title: string;
  opened: boolean;
  onClose: () => void;
  onSubmit: () => void;
  submitLabel: string;
  children: ReactNode;
  error: unknown;
  /** Offered when the row was changed meanwhile. */
  onReload?: () => void;
  pending: boolean;
  disabled?: boolean;
  danger?: boolean;
  size?: string;
}

export function FormDialog(props: Props) {
  const { title, opened, onClose, onSubmit, submitLabel, children, error, pending, disabled, danger } = props;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!disabled) onSubmit();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={props.size ?? "md"}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          {!!error && <ErrorPanel error={error} onRetry={props.onReload} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color={danger ? "red.9" : undefined} loading={pending} disabled={disabled}>
              {submitLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
