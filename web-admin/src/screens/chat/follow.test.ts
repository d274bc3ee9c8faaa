import { expect, test, vi } from "vitest";
import { problem } from "../../test/server";
import { asking, follow, listening } from "./follow";
import type { LiveAnswer } from "./live-answer";

const event = (number: number, name: string, data: unknown) =>
  `id: ans_1:${number}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** A stream of these texts, that breaks off at its end when told so. */
function stream(texts: string[], breaks = false): Response {
  const left = texts.map((text) => new TextEncoder().encode(text));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift();
      if (next) controller.enqueue(next);
      else if (breaks) controller.error(new TypeError("network error"));
      else controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/** Answers the requests in turn. */
function network(...answers: (() => Response)[]) {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    requests.push(request);
    const answer = answers[requests.length - 1];
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError("network error"));
  });
  return requests;
}

function run(open = asking("cnv_1", { content: "Why?" }, "key-1"), signal = new AbortController().signal) {
  const seen: LiveAnswer[] = [];
  const end = follow({ open, signal, pauseMs: 1, onChange: (answer) => seen.push(answer) });
  return { seen, end };
}

test("the answer grows by its events until its end", async () => {
  network(() =>
    stream([
      event(1, "passages", { passages: [], rung: "text" }),
      event(2, "token", { text: "Grüße" }) + event(3, "token", { text: " 🪢 [1]" }),
      event(4, "citations", { citations: [{ number: 1 }] }),
      event(5, "usage", {}) + event(6, "done", {}),
    ]),
  );
  const { seen, end } = run();

  expect(await end).toMatchObject({
    id: "ans_1",
    rung: "text",
    text: "Grüße 🪢 [1]",
    citations: [{ number: 1 }],
    end: { kind: "done" },
  });
  expect(seen.map(({ text }) => text)).toEqual(["", "Grüße", ...Array<string>(4).fill("Grüße 🪢 [1]")]);
});

test("a stream that breaks off goes on after the last event, and an event that comes twice counts once", async () => {
  const requests = network(
    () => stream([event(1, "token", { text: "one " }), event(2, "token", { text: "two " })], true),
    () => problem({ status: 503 }),
    () =>
      stream([
        event(2, "token", { text: "two " }),
        event(3, "token", { text: "three" }),
        event(4, "done", {}),
      ]),
  );
  const { end } = run();

  expect((await end).text).toBe("one two three");
  expect(requests.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
  expect(requests[2]?.url).toMatch(/\/answers\/ans_1\/events$/);
  expect(requests[2]?.headers.get("Last-Event-ID")).toBe("ans_1:2");
});

test("a question whose answer never began is asked again under the same key", async () => {
  const requests = network(
    () => stream([], true),
    () => stream([event(1, "done", {})]),
  );
  await run().end;

  expect(requests.map(({ headers }) => headers.get("Idempotency-Key"))).toEqual(["key-1", "key-1"]);
});

test("a refusal is not repeated", async () => {
  const requests = network(() => problem({ status: 403, code: "forbidden" }));

  await expect(run().end).rejects.toMatchObject({ problem: { code: "forbidden" } });
  expect(requests).toHaveLength(1);
});

test("a server that stays away is given up", async () => {
  const requests = network();
  await expect(run(listening("ans_1", null)).end).rejects.toMatchObject({
    problem: { code: "console.unreachable" },
  });
  expect(requests.length).toBeGreaterThan(2);
});

test("each end is told with what it says", async () => {
  const ends = {
    stopped: {},
    interrupted: { last: 3 },
    revoked: {},
    error: { code: "chat.no_provider", detail: "None." },
  };
  for (const [kind, data] of Object.entries(ends)) {
    network(() => stream([event(1, kind, data)]));
    expect((await run().end).end?.kind).toBe(kind);
  }
  network(() => stream([event(1, "error", ends.error)]));
  expect((await run().end).end).toEqual({ kind: "error", detail: "None.", code: "chat.no_provider" });
});

test("garbage and unknown events do no harm", async () => {
  network(() =>
    stream([
      'event: token\ndata: {"text":"without a number"}\n\n',
      "id: ans_1:1\nevent: token\ndata: {half\n\n",
      event(2, "novelty", null),
      event(3, "token", { text: "ok" }) + event(4, "done", null),
    ]),
  );
  expect((await run().end).text).toBe("ok");
});

test("who leaves stops listening", async () => {
  const abort = new AbortController();
  network(() => stream([event(1, "token", { text: "a" })], true));
  const { end } = run(undefined, abort.signal);
  abort.abort(new DOMException("Left.", "AbortError"));
  await expect(end).rejects.toThrow("Left.");
});
