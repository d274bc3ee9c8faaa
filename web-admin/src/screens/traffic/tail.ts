/** Requests as they come: the recent ones first, then each new one, also over a connection that breaks. */
import { api, ask } from "../../api/client";
import { statusOf } from "../../api/problem";
import { fetchRaw } from "../../api/raw";
import { eventsOf } from "../../api/sse";
import type { EdgeRequest } from "../../api/types";

/** Rows that are kept; older ones fall off. */
export const ROWS = 200;
const PAUSE_MS = 2000;

interface Following {
  filter: string | undefined;
  signal: AbortSignal;
  /** What was there before; the newest first. */
  onBegin: (requests: EdgeRequest[]) => void;
  onRequest: (request: EdgeRequest) => void;
  /** So many came and went unread. */
  onMissed: (count: number) => void;
  onConnected: (connected: boolean) => void;
  /** For tests. */
  pauseMs?: number;
}

/** Goes on until the signal aborts; throws what refuses for good. */
export async function followRequests(following: Following): Promise<void> {
  const { filter, signal, onBegin, pauseMs = PAUSE_MS } = following;
  const query = { limit: 100, filter };
  const recent = await ask(api.GET("/api/v1/edge/requests", { params: { query }, signal }));
  onBegin(recent.items);
  let last = recent.items[0] ? String(recent.items[0].number) : "";
  const left = () => signal.aborted;
  while (!left()) {
    try {
      last = await listen(following, last);
    } catch (error) {
      if (left()) return;
      if (refusesForGood(error)) throw error;
    }
    if (left()) return;
    following.onConnected(false);
    await pause(pauseMs, signal);
  }
}

/** One connection; the id of the last event that was heard. */
async function listen(following: Following, after: string): Promise<string> {
  const { filter, signal, onRequest, onMissed, onConnected } = following;
  const query = filter ? `?filter=${encodeURIComponent(filter)}` : "";
  const headers = { Accept: "text/event-stream", ...(after && { "Last-Event-ID": after }) };
  const { body } = await fetchRaw(`/api/v1/edge/requests/live${query}`, { headers, signal });
  onConnected(true);
  const left = () => signal.aborted;
  let last = after;
  if (!body) return last;
  try {
    for await (const event of eventsOf(body)) {
      if (left()) return last;
      last = event.id || last;
      if (event.name === "request") onRequest(JSON.parse(event.data) as EdgeRequest);
      if (event.name === "missed") onMissed((JSON.parse(event.data) as { missed: number }).missed);
      if (left()) return last;
    }
  } catch {
    // It broke off; the next connection goes on behind what was heard.
  }
  return last;
}

/** Nothing answered and a failing server are worth another try. */
function refusesForGood(error: unknown): boolean {
  const status = statusOf(error);
  return status >= 400 && status < 500;
}

/** Ends early when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const leave = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", leave, { once: true });
  });
}
