/** Requests in words and colours. */
import { all, eq, startsWith } from "../../api/filter";
import type { EdgeRequest } from "../../api/types";
import type { Tone } from "../../ui/status";

export interface TrafficSearch {
  method?: string;
  host?: string;
  path?: string;
  status?: string;
  route?: string;
  address?: string;
  tenant?: string;
  /** At least so many milliseconds. */
  took?: string;
}

export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
export const CLASSES = ["2xx", "3xx", "4xx", "5xx"];

/** The filters of the screen in the grammar of the API. */
export function filterOf(search: TrafficSearch): string | undefined {
  return all(
    eq("method", search.method),
    eq("host", search.host),
    startsWith("path", search.path),
    statusClass(search.status),
    eq("route", search.route),
    eq("address", search.address),
    eq("tenant", search.tenant),
    slowerThan(search.took),
  );
}

function statusClass(word: string | undefined): string | undefined {
  const first = Number(word?.charAt(0));
  return first >= 1 && first <= 5 ? `status ge ${first}00 and status lt ${first + 1}00` : undefined;
}

function slowerThan(ms: string | undefined): string | undefined {
  const value = Number(ms);
  return ms && Number.isFinite(value) && value > 0 ? `duration_us ge ${Math.round(value * 1000)}` : undefined;
}

export function toneOf({ status }: EdgeRequest): Tone {
  if (status >= 500) return "bad";
  if (status >= 400) return "warn";
  return "ok";
}

/** `0.8 ms`, `12 ms`, `3.4 s`. */
export function took(micros: number): string {
  if (micros < 10_000) return `${(micros / 1000).toFixed(1)} ms`;
  if (micros < 1_000_000) return `${Math.round(micros / 1000)} ms`;
  return `${(micros / 1_000_000).toFixed(1)} s`;
}

/** Where it went: the route, else Holdfast's own operation. */
export function placeOf({ route, operation }: EdgeRequest): string {
  return route ?? (operation && operation !== "none" ? operation : "–");
}
