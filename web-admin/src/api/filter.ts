/** Writes the filter grammar of lists; an empty value writes nothing. */
type Clause = string | undefined;

export function eq(field: string, value: string | undefined): Clause {
  return value ? `${field} eq ${JSON.stringify(value)}` : undefined;
}

export function startsWith(field: string, value: string | undefined): Clause {
  return value ? `${field} sw ${JSON.stringify(value)}` : undefined;
}

export function contains(field: string, value: string | undefined): Clause {
  return value ? `${field} co ${JSON.stringify(value)}` : undefined;
}

/** At or after a moment, given as the text of a `datetime-local` input. */
export function since(field: string, local: string | undefined): Clause {
  const time = instant(local);
  return time && `${field} ge ${time}`;
}

/** Before a moment, given as the text of a `datetime-local` input. */
export function until(field: string, local: string | undefined): Clause {
  const time = instant(local);
  return time && `${field} lt ${time}`;
}

export function all(...clauses: Clause[]): string | undefined {
  return clauses.filter(Boolean).join(" and ") || undefined;
}

function instant(local: string | undefined): string | undefined {
  if (!local) return undefined;
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
