/** Going over to another branch at a message that was asked in other words. */
import type { QueryClient } from "@tanstack/react-query";
import type { Message } from "../../api/types";
import { answerQuery, messagesQuery } from "./queries";

/** By message, the last one of the branch in which it was seen last. */
const leaves = new Map<string, string>();

export function rememberBranch(branch: Message[]): void {
  const leaf = branch.at(-1);
  if (leaf) for (const { id } of branch) leaves.set(id, leaf.id);
}

/** The end of a branch through a message: the one seen last, else the message's own answer. */
export async function leafBelow(client: QueryClient, conversation: string, message: string): Promise<string> {
  const known = leaves.get(message);
  if (known) return known;
  const { items } = await client.query(messagesQuery(conversation, message));
  const last = items.at(-1);
  if (last?.role !== "user" || !last.answer) return message;
  const answer = await client.query(answerQuery(last.answer));
  return answer.state === "running" ? message : answer.message;
}
