/** What a tail has brought so far, for a screen. */
import { useCallback, useEffect, useState } from "react";
import type { EdgeRequest } from "../../api/types";
import { followRequests, ROWS } from "./tail";

/** Rows are put on the screen together, not one by one. */
const TOGETHER_MS = 200;

interface Tail {
  /** The newest first; none before the first answer. */
  rows: EdgeRequest[] | null;
  missed: number;
  connected: boolean;
  error: unknown;
}

const NOTHING_YET: Tail = { rows: null, missed: 0, connected: false, error: null };

/** Follows while it is not paused; going on begins with what is recent then. */
export function useTail(filter: string | undefined, paused: boolean) {
  const [tail, setTail] = useState(NOTHING_YET);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (paused) return;
    const stop = new AbortController();
    const { signal } = stop;
    let fresh: EdgeRequest[] = [];
    const flush = () => {
      if (fresh.length === 0) return;
      const come = fresh.reverse();
      fresh = [];
      setTail((before) => ({ ...before, rows: [...come, ...(before.rows ?? [])].slice(0, ROWS) }));
    };
    const timer = setInterval(flush, TOGETHER_MS);
    const change = (patch: Partial<Tail>) => {
      if (!signal.aborted) setTail((before) => ({ ...before, ...patch }));
    };
    followRequests({
      filter,
      signal,
      onBegin: (rows) => change({ rows, missed: 0, error: null }),
      onRequest: (request) => fresh.push(request),
      onMissed: (count) => setTail((before) => ({ ...before, missed: before.missed + count })),
      onConnected: (connected) => change({ connected }),
    }).catch((error: unknown) => change({ error, connected: false }));
    return () => {
      flush();
      stop.abort();
      clearInterval(timer);
    };
  }, [filter, paused, attempt]);
  const retry = useCallback(() => {
    setTail(NOTHING_YET);
    setAttempt((before) => before + 1);
  }, []);
  return { ...tail, retry };
}
