/** Going over to another branch at a message that was asked in other words. */
import type { QueryClient } from "@tanstack/react-query";
import { throughQuery } from "./queries";

/** The end of the newest branch through a message. */
export async function leafBelow(client: QueryClient, conversation: string, message: string): Promise<string> {
  const { items } = await client.query(throughQuery(conversation, message));
  return items.at(-1)?.id ?? message;
}
