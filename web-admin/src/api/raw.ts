/** Answers that are not JSON: streams and the bytes of documents. */
import { errorFrom, unreachable } from "./problem";

/** The answer of a path of the API, or an `ApiError` thrown. */
export async function fetchRaw(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(new URL(path, window.location.origin), {
    credentials: "same-origin",
    ...init,
  });
  let response: Response;
  try {
    response = await globalThis.fetch(request);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw unreachable();
  }
  if (!response.ok) throw errorFrom(await response.json().catch(() => null), response);
  return response;
}
