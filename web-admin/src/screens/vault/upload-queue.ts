/** Files on their way: so many at once, each with its progress, each can be cancelled and tried again. */
import { problemOf } from "../../api/problem";

export const AT_ONCE = 3;

export type UploadState = "waiting" | "sending" | "done" | "failed" | "cancelled";

export interface UploadItem {
  id: number;
  file: File;
  /** The same for each try, so that a try whose answer was lost does not make a twin. */
  key: string;
  state: UploadState;
  /** The part that was sent, 0 to 1. */
  progress: number;
  /** Why it failed. */
  reason: string | null;
}

export type Send = (
  item: UploadItem,
  options: { signal: AbortSignal; onProgress: (part: number) => void },
) => Promise<unknown>;

export class UploadQueue {
  readonly #send: Send;
  readonly #onDone: () => void;
  readonly #listeners = new Set<() => void>();
  readonly #running = new Map<number, AbortController>();
  #items: readonly UploadItem[] = [];
  #next = 1;

  constructor(send: Send, onDone: () => void) {
    this.#send = send;
    this.#onDone = onDone;
  }

  readonly items = (): readonly UploadItem[] => this.#items;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  add(files: Iterable<File>): void {
    const added = Array.from(files, (file): UploadItem => {
      return {
        id: this.#next++,
        file,
        key: crypto.randomUUID(),
        state: "waiting",
        progress: 0,
        reason: null,
      };
    });
    this.#show([...this.#items, ...added]);
    this.#start();
  }

  cancel(id: number): void {
    const item = this.#find(id);
    if (item?.state !== "waiting" && item?.state !== "sending") return;
    this.#change(id, { state: "cancelled" });
    this.#running.get(id)?.abort(new DOMException("Cancelled.", "AbortError"));
    this.#start();
  }

  retry(id: number): void {
    const item = this.#find(id);
    if (item?.state !== "failed" && item?.state !== "cancelled") return;
    this.#change(id, { state: "waiting", progress: 0, reason: null });
    this.#start();
  }

  /** Forgets what has ended. */
  clear(): void {
    this.#show(this.#items.filter(({ state }) => state === "waiting" || state === "sending"));
  }

  #start(): void {
    for (const item of this.#items) {
      if (this.#running.size >= AT_ONCE) return;
      // One that was cancelled and is tried again waits until its first try has let go.
      if (item.state === "waiting" && !this.#running.has(item.id)) void this.#run(item);
    }
  }

  async #run(item: UploadItem): Promise<void> {
    const abort = new AbortController();
    this.#running.set(item.id, abort);
    this.#change(item.id, { state: "sending" });
    const onProgress = (progress: number) => {
      if (!abort.signal.aborted) this.#change(item.id, { progress });
    };
    try {
      await this.#send(item, { signal: abort.signal, onProgress });
      this.#change(item.id, { state: "done", progress: 1 });
      this.#onDone();
    } catch (error) {
      if (!abort.signal.aborted) this.#change(item.id, { state: "failed", reason: problemOf(error).detail });
    } finally {
      this.#running.delete(item.id);
      this.#start();
    }
  }

  #find(id: number): UploadItem | undefined {
    return this.#items.find((item) => item.id === id);
  }

  #change(id: number, patch: Partial<UploadItem>): void {
    this.#show(this.#items.map((item) => (item.id === id ? { ...item, ...patch } : item)));
  }

  #show(items: readonly UploadItem[]): void {
    this.#items = items;
    for (const listener of this.#listeners) listener();
  }
}
