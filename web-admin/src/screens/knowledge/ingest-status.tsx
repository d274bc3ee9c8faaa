import { Text } from "@mantine/core";
import type { KnowledgeDocument } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

type State = KnowledgeDocument["state"];

export const INGEST_STATES = ["queued", "extracting", "embedding", "ready", "failed"] as const;

const TONE: Record<State, Tone> = {
  queued: "idle",
  extracting: "busy",
  embedding: "busy",
  ready: "ok",
  failed: "bad",
};

/** How far a document is on its way into the search, and why it is not there. */
export function IngestStatus({ document, long }: { document: KnowledgeDocument; long?: boolean }) {
  const { state, passages_done: done, passages_total: total, detail, reason } = document;
  return (
    <>
      <Status tone={TONE[state]}>{state === "embedding" ? `embedding ${done} of ${total}` : state}</Status>
      {state === "failed" && (
        <Text size="sm" c="dimmed" lineClamp={long ? undefined : 2}>
          {detail ?? reason}
        </Text>
      )}
    </>
  );
}

/** Whether anything is still to come. */
export function inProgress(documents: KnowledgeDocument[]): boolean {
  return documents.some(({ state }) => state !== "ready" && state !== "failed");
}
