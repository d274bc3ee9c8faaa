/** A dialog that sends something: fields, the error if it was refused, cancel and submit. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import { useState, type ReactNode, type SyntheticEvent } from "react";
import { statusOf } from "../api/problem";
import { ErrorPanel } from "./error-panel";
import { Notice } from "./notice";

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
  const {
    title,
    opened,
    onClose,
    onSubmit,
    submitLabel,
    children,
    error,
    pending,
    disabled,
    danger,
    onReload,
  } = props;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!disabled) onSubmit();
  };
  const stale = onReload && statusOf(error) === 412;
  // Once the present state was read, the complaint that it had changed is over.
  const [reloaded, setReloaded] = useState<unknown>(null);
  const reload = () => {
    setReloaded(error);
    onReload?.();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={props.size ?? "md"}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          {!!error && error !== reloaded && <ErrorPanel error={error} onRetry={stale ? reload : undefined} />}
          {!!error && error === reloaded && (
            <Notice tone="idle" role="status" title="Reloaded">
              Look at it once more, then send your change again.
            </Notice>
          )}
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
