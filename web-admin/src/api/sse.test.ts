import { expect, test } from "vitest";
import { eventsOf, SseParser, type ServerEvent } from "./sse";

const STREAM =
  'id: ans_1:1\nevent: token\ndata: {"text":"Grüße 🪢"}\n\nid: ans_1:2\nevent: done\ndata: {}\n\n';
const EVENTS = [
  { id: "ans_1:1", name: "token", data: '{"text":"Grüße 🪢"}' },
  { id: "ans_1:2", name: "done", data: "{}" },
];

test("events come out whole, wherever the text is cut", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new SseParser();
    expect([...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))]).toEqual(EVENTS);
  }
});

test("lines end with CR, LF or both, also when the pair is cut in two", () => {
  for (const end of ["\r", "\n", "\r\n"]) {
    const text = STREAM.replaceAll("\n", end) + ":";
    const parser = new SseParser();
    expect(Array.from(text).flatMap((letter) => parser.push(letter))).toEqual(EVENTS);
  }
});

test("comments, unknown fields and events without data are passed over; lines of data are joined", () => {
  const parser = new SseParser();
  const events = parser.push("\uFEFF: keep-alive\n\nevent: nothing\n\nretry: 3\ndata: a\ndata:b\ndata\n\n");
  expect(events).toEqual([{ id: "", name: "message", data: "a\nb\n" }]);
});

test("an event that the end cuts off is not given", () => {
  expect(new SseParser().push("event: token\ndata: half\n")).toEqual([]);
});

test("bytes of one character may come in two portions", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (const cut of [36, 37, 40, 41, 42]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, cut));
        controller.enqueue(bytes.slice(cut));
        controller.close();
      },
    });
    const events: ServerEvent[] = [];
    for await (const event of eventsOf(body)) events.push(event);
    expect(events).toEqual(EVENTS);
  }
});

test("who leaves the loop cancels the body", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(STREAM)),
    cancel: () => void (cancelled = true),
  });
  for await (const event of eventsOf(body)) if (event.id) break;
  expect(cancelled).toBe(true);
});
