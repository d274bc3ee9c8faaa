/** The way in: files dropped or chosen, and how far each is. */
import { Button, FileButton, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { FileUp } from "lucide-react";
import { useState, type DragEvent } from "react";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { Status, type Tone } from "../../ui/status";
import { filesOf } from "./dropped-files";
import classes from "./upload-panel.module.css";
import type { UploadItem, UploadQueue, UploadState } from "./upload-queue";
import { useUploads } from "./use-uploads";

export function UploadPanel({ collection }: { collection: string }) {
  const { queue, items } = useUploads(collection);
  return (
    <Stack gap="sm">
      <DropZone onFiles={(files) => queue.add(files)} />
      {items.length > 0 && <Uploads queue={queue} items={items} />}
    </Stack>
  );
}

function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    setUnreadable(false);
    void filesOf(event.dataTransfer).then(onFiles, () => setUnreadable(true));
  };
  const enter = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  const leave = (event: DragEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
  };
  return (
    // Dropping needs a pointer; the button beside it does the same by the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className={classes.zone}
      role="group"
      aria-label="Upload"
      data-over={over || undefined}
      onDragEnter={enter}
      onDragOver={enter}
      onDragLeave={leave}
      onDrop={drop}
    >
      <FileUp size={22} strokeWidth={1.5} aria-hidden />
      <Text size="md">Drop files or folders here, or</Text>
      <FileButton multiple onChange={onFiles}>
        {(props) => (
          <Button variant="default" {...props}>
            Choose files
          </Button>
        )}
      </FileButton>
      {unreadable && (
        <Text className={classes.wide} size="sm" c="var(--mantine-color-error)" role="alert">
          What was dropped can’t be read. Choose the files instead.
        </Text>
      )}
    </div>
  );
}

const TONE: Record<UploadState, Tone> = {
  waiting: "idle",
  sending: "busy",
  done: "ok",
  failed: "bad",
  cancelled: "warn",
};

function Uploads({ queue, items }: { queue: UploadQueue; items: readonly UploadItem[] }) {
  const done = items.filter(({ state }) => state === "done").length;
  const failed = items.filter(({ state }) => state === "failed").length;
  return (
    <Section
      title="Uploads"
      lead={
        <span role="status">
          {done} of {items.length} uploaded{failed > 0 && `, ${failed} failed`}
        </span>
      }
      actions={
        <Button variant="default" size="compact-sm" onClick={() => queue.clear()}>
          Clear the ended ones
        </Button>
      }
    >
      <Paper withBorder mah={360} style={{ overflowY: "auto" }} tabIndex={0} role="region" aria-label="Files">
        <ul className={classes.list}>
          {items.map((item) => (
            <Row key={item.id} item={item} queue={queue} />
          ))}
        </ul>
      </Paper>
    </Section>
  );
}

function Row({ item, queue }: { item: UploadItem; queue: UploadQueue }) {
  const { id, file, state, progress, reason } = item;
  const percent = Math.round(progress * 100);
  const busy = state === "waiting" || state === "sending";
  // The server still seals and stores what has arrived.
  const word = state === "sending" ? (percent < 100 ? `${percent} %` : "storing") : state;
  return (
    <li className={classes.item}>
      <div style={{ minWidth: 0 }}>
        <Text size="md" style={{ overflowWrap: "anywhere" }}>
          {file.name}
        </Text>
        <Group gap="sm">
          <Text size="sm" component="div">
            <Status tone={TONE[state]}>{word}</Status>
          </Text>
          <Text size="sm" c="dimmed">
            {size(file.size)}
          </Text>
        </Group>
      </div>
      {busy && (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Cancel ${file.name}`}
          onClick={() => queue.cancel(id)}
        >
          Cancel
        </Button>
      )}
      {(state === "failed" || state === "cancelled") && (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Try ${file.name} again`}
          onClick={() => queue.retry(id)}
        >
          Try again
        </Button>
      )}
      {state === "sending" && (
        <Progress
          className={classes.wide}
          value={percent}
          size="sm"
          aria-label={`Progress of ${file.name}`}
        />
      )}
      {reason && (
        <Text className={classes.wide} size="sm" c="var(--mantine-color-error)">
          {reason}
        </Text>
      )}
    </li>
  );
}
