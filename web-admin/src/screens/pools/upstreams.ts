/** How pools and their servers stand, as the process that answers sees them. */
import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { isObject, type JsonObject } from "../../api/json";
import type { PoolStatus } from "../../api/types";
import type { Tone } from "../../ui/status";

const POLL_MS = 2_000;

export const upstreamsQuery = queryOptions({
  queryKey: ["upstreams"],
  queryFn: ({ signal }) => ask(api.GET("/api/v1/edge/upstreams", { signal })),
  refetchInterval: POLL_MS,
});

/** One server of a pool. */
export interface Target {
  url: string;
  state: string;
  /** Seconds until it is back, where it is taken out. */
  ejectedFor: number | null;
  sharePercent: number;
  inFlight: number;
  latencyMs: number | null;
  requests: number;
  failures: number;
  lastError: { sentence: string; secondsAgo: number } | null;
}

export function targetsOf({ targets }: PoolStatus): Target[] {
  return Array.isArray(targets) ? targets.filter(isObject).map(target) : [];
}

function target(row: JsonObject): Target {
  const error = isObject(row.last_error) ? row.last_error : null;
  return {
    url: String(row.url),
    state: String(row.state),
    ejectedFor: number(row.ejected_for),
    sharePercent: number(row.share_percent) ?? 100,
    inFlight: number(row.in_flight) ?? 0,
    latencyMs: number(row.latency_ms),
    requests: number(row.requests) ?? 0,
    failures: number(row.failures) ?? 0,
    lastError: error && { sentence: String(error.sentence), secondsAgo: number(error.seconds_ago) ?? 0 },
  };
}

const TONE: Record<string, Tone> = {
  healthy: "ok",
  unhealthy: "bad",
  ejected: "warn",
  slow_start: "busy",
  draining: "idle",
};

export function toneOf({ state }: Target): Tone {
  return TONE[state] ?? "idle";
}

export function stateInWords({ state, ejectedFor, sharePercent }: Target): string {
  switch (state) {
    case "ejected":
      return ejectedFor === null ? "taken out" : `taken out for ${Math.ceil(ejectedFor)} s`;
    case "slow_start":
      return `warming up, ${Math.round(sharePercent)} %`;
    case "draining":
      return "leaving";
    default:
      return state;
  }
}

export function latencyInWords({ latencyMs }: Target): string {
  if (latencyMs === null) return "–";
  return `${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
