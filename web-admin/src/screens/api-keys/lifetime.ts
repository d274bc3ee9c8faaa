/** How long a key may live, in days. */
export const LIFETIMES = [
  { value: "7", label: "In 7 days" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "never", label: "Never" },
];

export function expiryAfter(lifetime: string, now: Date): string | undefined {
  if (lifetime === "never") return undefined;
  return new Date(now.getTime() + Number(lifetime) * 86_400_000).toISOString();
}
