/** Sends a file and tells how far it is, which `fetch` can't. */
import { errorFrom, unreachable } from "./problem";

export interface Upload {
  path: string;
  file: File;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** Called with the part that was sent, 0 to 1. */
  onProgress: (part: number) => void;
}

/** The answer's body, or an `ApiError` thrown; an aborted upload throws the signal's reason. */
export function upload<T>({ path, file, headers, signal, onProgress }: Upload): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Accept", "application/json");
    // Without a type the browser would say `text/plain`; an empty guess lets the server go by the name.
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body as T);
      else reject(errorFrom(body, response(request)));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function response(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const name of ["Retry-After", "X-Request-Id"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(null, { status: request.status, statusText: request.statusText, headers });
}
