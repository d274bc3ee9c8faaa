import { expect, test, vi } from "vitest";
import { unreachable } from "../../api/problem";
import { AT_ONCE, UploadQueue, type UploadItem } from "./upload-queue";

/** A queue whose uploads end when the test says so. */
function queue() {
  const sent: { item: UploadItem; end: (error?: Error) => void; progress: (part: number) => void }[] = [];
  const done = vi.fn();
  const uploads = new UploadQueue(
    (item, { signal, onProgress }) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        sent.push({ item, progress: onProgress, end: (error) => (error ? reject(error) : resolve()) });
      }),
    done,
  );
  const add = (...names: string[]) => uploads.add(names.map((name) => new File(["x"], name)));
  const states = () => uploads.items().map(({ file, state }) => `${file.name} ${state}`);
  return { uploads, sent, done, add, states };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

test("at most so many files are sent at once, and the next starts when one ends", async () => {
  const { sent, add, done, states } = queue();
  add("a", "b", "c", "d", "e");
  expect(sent).toHaveLength(AT_ONCE);

  sent[1]?.end();
  await settle();

  expect(states()).toEqual(["a sending", "b done", "c sending", "d sending", "e waiting"]);
  expect(done).toHaveBeenCalledTimes(1);
});

test("a failed file says why and is tried again under the same key", async () => {
  const { uploads, sent, add, states } = queue();
  add("a");
  sent[0]?.progress(0.4);
  expect(uploads.items()[0]?.progress).toBe(0.4);
  sent[0]?.end(unreachable());
  await settle();
  expect(uploads.items()[0]?.reason).toMatch(/did not answer/);

  uploads.retry(1);

  expect(states()).toEqual(["a sending"]);
  expect(sent[1]?.item.key).toBe(sent[0]?.item.key);
  expect(uploads.items()[0]?.progress).toBe(0);
});

test("cancelling aborts what is sent, skips what waits, and makes room", async () => {
  const { uploads, sent, add, states } = queue();
  add("a", "b", "c", "d", "e");
  uploads.cancel(4);
  uploads.cancel(1);
  sent[0]?.progress(0.9);
  await settle();

  expect(states()).toEqual(["a cancelled", "b sending", "c sending", "d cancelled", "e sending"]);
  expect(uploads.items()[0]?.progress).toBe(0);
});

test("a file that is cancelled and at once tried again is sent once more", async () => {
  const { uploads, sent, add, states } = queue();
  add("a");
  uploads.cancel(1);
  uploads.retry(1);
  await settle();

  expect(states()).toEqual(["a sending"]);
  expect(sent).toHaveLength(2);
});

test("clearing forgets what has ended only", async () => {
  const { uploads, sent, add, states } = queue();
  add("a", "b");
  sent[0]?.end();
  await settle();
  uploads.clear();
  uploads.cancel(1);

  expect(states()).toEqual(["b sending"]);
});
