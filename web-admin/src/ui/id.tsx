import { Code } from "@mantine/core";

/** An id by its two ends, which is enough to tell rows apart; the whole of it is one hover away. */
export function Id({ id }: { id: string }) {
  const short = id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
  return <Code title={id}>{short}</Code>;
}
