/** Filters and order live in the URL as plain text parameters. */
export function searchOf<K extends string>(...keys: K[]) {
  return (raw: Record<string, unknown>): { [P in K]?: string } => {
    const known = keys.flatMap((key) => {
      const value = raw[key];
      const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
      return text === "" ? [] : [[key, text] as const];
    });
    return Object.fromEntries(known) as { [P in K]?: string };
  };
}

/** The order after a click on a column: ascending, then descending, then the server's own. */
export function nextSort(current: string | undefined, field: string): string | undefined {
  if (current === field) return `-${field}`;
  return current === `-${field}` ? undefined : field;
}
