/** The only way to the server: the client typed by the committed OpenAPI document. */
import createClient from "openapi-fetch";
import { errorFrom, unreachable } from "./problem";
import type { paths } from "./schema";

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: "same-origin",
  // Looked up at each call, so that tests can stand in for the network.
  fetch: (request) => globalThis.fetch(request),
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer, or an `ApiError` thrown. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw unreachable();
  }
  if (!answer.response.ok) throw errorFrom(answer.error, answer.response);
  return answer.data as T;
}

/** The condition that the row is still the one that was read. */
export function ifMatch(row: { version: number }): Record<string, string> {
  return { "If-Match": `"${row.version}"` };
}
