/** Moments in the reader's own zone and language; the exact text is one hover away. */
import { useSyncExternalStore } from "react";

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
];

const TICK_MS = 10_000;

/** The clock in steps, so that ages stay true while a screen is open. */
export function useNow(): number {
  return useSyncExternalStore(onTick, () => Math.ceil(Date.now() / TICK_MS) * TICK_MS);
}

function onTick(changed: () => void): () => void {
  const timer = setInterval(changed, TICK_MS);
  return () => clearInterval(timer);
}

/** `5 min ago`, for what matters by its age. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={exact(at)}>
      {relative(at, now)}
    </time>
  );
}

/** The date and the second, for records. */
export function At({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  return <time dateTime={at}>{exact(at)}</time>;
}

export function exact(at: string): string {
  return EXACT.format(new Date(at));
}

export function relative(at: string, now: number): string {
  let value = (new Date(at).getTime() - now) / 1000;
  if (Math.abs(value) * 1000 <= TICK_MS) return RELATIVE.format(0, "second");
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return RELATIVE.format(Math.round(value), unit);
    value /= size;
  }
  return RELATIVE.format(Math.round(value), "year");
}

/** `3 d 4 h`, `12 min`, `8 s`: how long something has lasted. */
export function duration(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  ) as [number, number, number];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}
