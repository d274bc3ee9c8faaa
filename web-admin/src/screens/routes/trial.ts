/** A request that might come, in the URL and in words, and what the server says of it. */
import { isObject, valueAt } from "../../api/json";
import type { RouteQuestion, RouteVerdict } from "../../api/types";
import { texts, text } from "./words";

export interface Trial {
  method?: string;
  host?: string;
  target?: string;
  /** Lines. */
  headers?: string;
  client?: string;
}

/** The question that is asked; null while it is none. */
export function questionOf({ method, host, target, headers, client }: Trial): RouteQuestion | null {
  if (!host || !target) return null;
  const lines = (headers ?? "").split("\n").map((line) => line.trim());
  return { method, host, target, headers: lines.filter(Boolean), client };
}

/** A request that a match takes, as far as it says. */
export function exampleOf(match: unknown): Trial {
  const [host = window.location.hostname] = texts(valueAt(match, ["hosts"]));
  const [method] = texts(valueAt(match, ["methods"]));
  const path = valueAt(match, ["path"]);
  const target = text(valueAt(path, ["exact"])) || text(valueAt(path, ["prefix"]));
  const pattern = text(valueAt(path, ["pattern"])).replaceAll(/\{\*?(\w+)\}/g, "$1");
  return { method, host: host.replace(/^\*\./, "www."), target: target || pattern || "/" };
}

/** One route that was looked at. */
export interface Candidate {
  id: string;
  priority: number;
  chosen: boolean;
  unmet: unknown;
}

export function candidatesOf({ candidates }: RouteVerdict): Candidate[] {
  const rows = Array.isArray(candidates) ? candidates.filter(isObject) : [];
  return rows.map(({ id, priority, chosen, unmet }) => ({
    id: text(id),
    priority: Number(priority) || 0,
    chosen: chosen === true,
    unmet,
  }));
}

const UNMET: Record<string, string> = {
  host: "It is for another host.",
  path: "It is for another path.",
  method: "It is for another method.",
  client: "The client’s address is in none of its networks.",
};

/** Why a route does not take the request, or why it does. */
export function whyInWords({ chosen, unmet }: Candidate): string {
  if (chosen) return "It is the first that matches.";
  if (!isObject(unmet)) return "It would match, but another one goes first.";
  const condition = text(unmet.condition);
  if (condition === "header") return `The header ${text(unmet.detail)} is missing or says something else.`;
  return UNMET[condition] ?? `It asks for another ${condition}.`;
}
