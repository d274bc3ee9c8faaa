/** A route as its form holds it: what is JSON, as text. */
import { isObject, parseObject, pretty, type JsonObject } from "../../api/json";
import type { Route } from "../../api/types";

export const EDITORS = ["match", "action", "modifiers"] as const;
export const FIELDS = ["name", "priority", "enabled", ...EDITORS] as const;

export interface RouteValues {
  name: string;
  priority: number | string;
  enabled: boolean;
  match: string;
  action: string;
  modifiers: string;
}

/** What is sent of it. */
export interface RouteDraft extends JsonObject {
  name: string;
  priority: number;
  enabled: boolean;
  match: JsonObject;
  action: JsonObject;
  modifiers: JsonObject;
}

export function valuesOf(route: Route | undefined): RouteValues {
  const { name, priority, enabled, match, action, modifiers } = draftOf(route);
  return {
    name,
    priority,
    enabled,
    match: pretty(match),
    action: pretty(action),
    modifiers: pretty(modifiers),
  };
}

/** What a route says now, to tell changes from; a new one says little. */
export function draftOf(route: Route | undefined): RouteDraft {
  if (!route)
    return {
      name: "",
      priority: 0,
      enabled: true,
      match: {},
      action: { kind: "upstream", pool: "" },
      modifiers: {},
    };
  const { name, priority, enabled } = route;
  return {
    name,
    priority,
    enabled,
    match: object(route.match),
    action: object(route.action),
    modifiers: object(route.modifiers),
  };
}

/** The texts as objects; null while one of them is none. */
export function readValues(values: RouteValues): RouteDraft | null {
  const [match, action, modifiers] = EDITORS.map((name) => parseObject(values[name]));
  if (!match || !action || !modifiers) return null;
  if ("reason" in match || "reason" in action || "reason" in modifiers) return null;
  return {
    name: values.name.trim(),
    priority: Number(values.priority) || 0,
    enabled: values.enabled,
    match: match.object,
    action: action.object,
    modifiers: modifiers.object,
  };
}

/** Why a text is no object yet; null when it is one. */
export function unreadable(text: string): string | null {
  const read = parseObject(text);
  return "reason" in read ? read.reason : null;
}

export const NAME_RULE = "A name has 1 to 80 letters, digits, - and _.";

export function badName(name: string): string | null {
  return /^[A-Za-z0-9_-]{1,80}$/.test(name.trim()) ? null : NAME_RULE;
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
