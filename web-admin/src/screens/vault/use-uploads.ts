/** One queue a collection, which lives as long as the console is open: leaving the screen does not stop uploads. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { upload } from "../../api/upload";
import { UploadQueue } from "./upload-queue";

const queues = new WeakMap<QueryClient, Map<string, UploadQueue>>();

export function useUploads(collection: string) {
  const queue = queueOf(useQueryClient(), collection);
  return { queue, items: useSyncExternalStore(queue.subscribe, queue.items) };
}

function queueOf(client: QueryClient, collection: string): UploadQueue {
  const known = queues.get(client) ?? new Map<string, UploadQueue>();
  queues.set(client, known);
  const queue = known.get(collection) ?? newQueue(client, collection);
  known.set(collection, queue);
  return queue;
}

function newQueue(client: QueryClient, collection: string): UploadQueue {
  const queue = new UploadQueue(
    ({ file, key }, { signal, onProgress }) =>
      upload({
        path: `/api/v1/vault/documents?${new URLSearchParams({ collection, name: file.name }).toString()}`,
        file,
        headers: { "Idempotency-Key": key },
        signal,
        onProgress,
      }),
    () => {
      void client.invalidateQueries({ queryKey: ["documents"] });
      void client.invalidateQueries({ queryKey: ["reading"] });
    },
  );
  const warn = (event: BeforeUnloadEvent) => event.preventDefault();
  queue.subscribe(() => {
    const busy = queue.items().some(({ state }) => state === "waiting" || state === "sending");
    if (busy) window.addEventListener("beforeunload", warn);
    else window.removeEventListener("beforeunload", warn);
  });
  return queue;
}
