/** What went wrong, in one form: the server's problem+json, or a stand-in where no such answer arrived. */
import type { Problem } from "./types";

export class ApiError extends Error {
  readonly problem: Problem;
  /** Seconds to wait, where the server named them. */
  readonly retryAfter: number | null;

  constructor(problem: Problem, retryAfter: number | null = null) {
    super(problem.detail);
    this.name = "ApiError";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The error of an answer: its body if that is a problem, else what the status alone can tell. */
export function errorFrom(body: unknown, response: Response): ApiError {
  const problem = isProblem(body) ? body : standIn(response);
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(problem, Number.isNaN(seconds) ? null : seconds);
}

/** The error of a request that got no answer at all. */
export function unreachable(): ApiError {
  return new ApiError({
    type: "about:blank",
    title: "No answer",
    status: 0,
    code: "console.unreachable",
    detail: "The server did not answer. Check that it runs and that you are connected, then try again.",
    errors: [],
    retryable: true,
  });
}

/** Any thrown value as a problem, for the one place that shows errors. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    type: "about:blank",
    title: "Console error",
    status: 0,
    code: "console.unexpected",
    detail: error instanceof Error ? error.message : "The console met something it did not expect.",
    errors: [],
    retryable: false,
  };
}

export function statusOf(error: unknown): number {
  return error instanceof ApiError ? error.problem.status : 0;
}

/** Messages by form field, so that a refused value is shown where it was typed. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const pairs = error.problem.errors.map((item) => [fieldName(item.path), item.detail] as const);
  return Object.fromEntries(pairs.filter(([field]) => field !== ""));
}

/** `/owner_email`, `$.owner_email` and `owner_email` all mean the field `owner_email`. */
function fieldName(path: string): string {
  return path.replace(/^[$./]+/, "").replaceAll("/", ".");
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "status" in body;
}

function standIn(response: Response): Problem {
  return {
    type: "about:blank",
    title: response.statusText || "Unexpected answer",
    status: response.status,
    code: `console.http_${response.status}`,
    detail: `The server answered ${response.status} without saying why.`,
    request_id: response.headers.get("X-Request-Id") ?? undefined,
    errors: [],
    retryable: response.status >= 500,
  };
}
