/** A stand-in for the network: answers by method and path, and remembers what was asked. */
import { vi } from "vitest";
import type { Me, Problem } from "../api/types";

type Answer = (request: Request) => Response | Promise<Response>;

export interface Server {
  requests: Request[];
  /** The requests to one operation, as `POST /api/…`. */
  to: (operation: string) => Request[];
}

export function serve(answers: Record<string, Answer>): Server {
  const requests: Request[] = [];
  const operation = (request: Request) => `${request.method} ${new URL(request.url).pathname}`;
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push(request.clone());
    const answer = answers[operation(request)];
    return answer ? answer(request) : problem({ status: 404, code: "not_found", detail: "Nothing here." });
  });
  return { requests, to: (wanted) => requests.filter((request) => operation(request) === wanted) };
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

export function problem(given: Partial<Problem>, headers: Record<string, string> = {}): Response {
  const body: Problem = {
    type: "about:blank",
    title: "Refused",
    status: 400,
    code: "test.refused",
    detail: "The test refused it.",
    request_id: "req-1",
    errors: [],
    retryable: false,
    ...given,
  };
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}

export function me(permissions: string[] = []): Me {
  const at = "2026-01-01T00:00:00.000000Z";
  return {
    account: {
      id: "usr_1",
      email: "ada@example.com",
      display_name: "Ada",
      disabled: false,
      created_at: at,
      updated_at: at,
      version: 1,
    },
    actor: { kind: "account", id: "usr_1", name: "Ada" },
    tenant: { id: "ten_1", slug: "system", name: "System" },
    roles: ["owner"],
    permissions,
    session_id: "ses_1",
  };
}
