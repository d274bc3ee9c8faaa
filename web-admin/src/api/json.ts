/** JSON objects as the screens handle them: values by their place, and the merge patch between two (RFC 7396). */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at a place; undefined where nothing does. */
export function valueAt(value: unknown, [name, ...rest]: string[]): unknown {
  if (name === undefined) return value;
  return isObject(value) && Object.hasOwn(value, name) ? valueAt(value[name], rest) : undefined;
}

/** The object with another value at a place; undefined takes the member out, and objects that it leaves empty with it. */
export function withValue(object: JsonObject, [name, ...rest]: string[], value: unknown): JsonObject {
  if (name === undefined) return object;
  const inner = Object.hasOwn(object, name) ? object[name] : undefined;
  const next = rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value);
  const gone = next === undefined || (rest.length > 0 && value === undefined && isEmpty(next));
  const others = Object.entries(object).filter(([other]) => other !== name);
  if (gone) return Object.fromEntries(others);
  // In its old place where it had one, so that the order of members stays.
  if (inner === undefined) return Object.fromEntries([...others, [name, next]]);
  return Object.fromEntries(Object.entries(object).map(([key, old]) => [key, key === name ? next : old]));
}

/** The patch that makes the one object out of the other; undefined when they are equal. */
export function mergePatch(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const changes: [string, unknown][] = [];
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) changes.push([name, null]);
  for (const [name, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    if (equal(old, value)) continue;
    changes.push([name, isObject(old) && isObject(value) ? mergePatch(old, value) : value]);
  }
  return changes.length > 0 ? Object.fromEntries(changes) : undefined;
}

/** What a patch makes of an object. */
export function patched(object: JsonObject, patch: JsonObject): JsonObject {
  const result = new Map(Object.entries(object));
  for (const [name, value] of Object.entries(patch)) {
    const old = result.get(name);
    if (value === null) result.delete(name);
    else result.set(name, isObject(value) ? patched(isObject(old) ? old : {}, value) : value);
  }
  return Object.fromEntries(result);
}

export function equal(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => equal(value, other[index]));
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && equal(one[name], other[name]))
  );
}

/** The object that a text says, or why it says none. */
export function parseObject(text: string): { object: JsonObject } | { reason: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return { object: value };
    return { reason: "Write a JSON object: it begins with { and ends with }." };
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    return { reason: `This is not JSON yet. ${why}` };
  }
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
