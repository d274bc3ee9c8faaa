/** Follows an answer's stream to its end, also over a connection that breaks. */
import { statusOf, unreachable } from "../../api/problem";
import { fetchRaw } from "../../api/raw";
import { eventsOf } from "../../api/sse";
import type { NewMessage } from "../../api/types";
import { after, NOTHING_YET, type LiveAnswer } from "./live-answer";

const STREAM = { Accept: "text/event-stream" };
/** Tries in a row that bring nothing new. */
const TRIES = 6;
const PAUSE_MS = 500;

type Open = (signal: AbortSignal) => Promise<Response>;

/** Asks a question; repeated under the same key it is the same question. */
export function asking(conversation: string, body: NewMessage, key: string): Open {
  return (signal) =>
    fetchRaw(`/api/v1/chat/conversations/${encodeURIComponent(conversation)}/messages`, {
      method: "POST",
      headers: { ...STREAM, "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify(body),
      signal,
    });
}

/** Listens to an answer again, after the last event that was heard or from its beginning. */
export function listening(answer: string, lastEvent: string | null): Open {
  return (signal) =>
    fetchRaw(`/api/v1/chat/answers/${encodeURIComponent(answer)}/events`, {
      headers: { ...STREAM, ...(lastEvent && { "Last-Event-ID": lastEvent }) },
      signal,
    });
}

interface Following {
  open: Open;
  signal: AbortSignal;
  onChange: (answer: LiveAnswer) => void;
  /** For tests. */
  pauseMs?: number;
}

/** Ends with the whole answer; throws what refuses for good, and the signal's reason. */
export async function follow({ open, signal, onChange, pauseMs = PAUSE_MS }: Following): Promise<LiveAnswer> {
  let answer = NOTHING_YET;
  let next = open;
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await pause(pauseMs * 2 ** (tries - 1), signal);
    try {
      const { body } = await next(signal);
      if (!body) throw unreachable();
      for await (const event of eventsOf(body)) {
        const before = answer;
        answer = after(answer, event);
        if (answer === before) continue;
        onChange(answer);
        if (answer.end) return answer;
        tries = 0;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (refusesForGood(error)) throw error;
    }
    if (answer.id) next = listening(answer.id, answer.lastEvent);
  }
  throw unreachable();
}

/** Nothing answered, a body that broke, an overload and a failing server are worth another try. */
function refusesForGood(error: unknown): boolean {
  const status = statusOf(error);
  return status >= 400 && status < 500 && status !== 429;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}
