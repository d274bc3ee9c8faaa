/** What the server has against a route or a pool, by the field that it is about. */
import { ApiError } from "../../api/problem";
import type { ProblemField } from "../../api/types";

export interface Complaints {
  byField: Record<string, string[]>;
  /** About other rows, the file, or the whole. */
  elsewhere: ProblemField[];
}

/**
 * `match.path` and `action.pool` belong to `match` and `action`, and so does `shop.action.pool` when the row is called
 * shop. All complaints are kept, however many a field has.
 */
export function complaintsOf(error: unknown, fields: readonly string[], name = ""): Complaints {
  const found: Complaints = { byField: {}, elsewhere: [] };
  for (const item of error instanceof ApiError ? error.problem.errors : []) {
    const [field, rest] = placeOf(item.path, fields, name);
    if (field === null) found.elsewhere.push(item);
    else (found.byField[field] ??= []).push(rest ? `${rest}: ${item.detail}` : item.detail);
  }
  return found;
}

function placeOf(path: string, fields: readonly string[], name: string): [string | null, string] {
  const plain = path.replace(/^[$./]+/, "").replaceAll("/", ".");
  const own = name && plain.startsWith(`${name}.`) ? plain.slice(name.length + 1) : null;
  for (const candidate of [own, plain]) {
    const field = fields.find((each) => candidate !== null && begins(candidate, each));
    if (field !== undefined && candidate !== null)
      return [field, candidate.slice(field.length).replace(/^\./, "")];
  }
  return [null, ""];
}

function begins(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}
