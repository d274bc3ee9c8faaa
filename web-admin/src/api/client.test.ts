import { expect, test } from "vitest";
import { problem, serve } from "../test/server";
import { api, ask, ifMatch } from "./client";
import { ApiError, fieldErrors, problemOf } from "./problem";

const getMe = () => ask(api.GET("/api/v1/identity/me"));
const failure = () =>
  getMe().then(
    () => null,
    (error: unknown) => error as ApiError,
  );

test("a problem answer becomes an error with its code, sentence and request id", async () => {
  serve({
    "GET /api/v1/identity/me": () =>
      problem(
        { status: 503, code: "identity.busy", detail: "Try again soon.", request_id: "r-7" },
        { "Retry-After": "3" },
      ),
  });

  const error = await failure();

  expect(error).toBeInstanceOf(ApiError);
  expect(error?.problem).toMatchObject({ status: 503, code: "identity.busy", request_id: "r-7" });
  expect(error?.message).toBe("Try again soon.");
  expect(error?.retryAfter).toBe(3);
});

test("an answer that is no problem still tells its status and request id", async () => {
  serve({
    "GET /api/v1/identity/me": () =>
      new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "X-Request-Id": "r-8" } }),
  });

  const error = await failure();

  expect(error?.problem).toMatchObject({
    status: 502,
    code: "console.http_502",
    request_id: "r-8",
    retryable: true,
  });
});

test("no answer at all says that the server can't be reached", async () => {
  serve({ "GET /api/v1/identity/me": () => Promise.reject(new TypeError("Failed to fetch")) });

  expect((await failure())?.problem.code).toBe("console.unreachable");
});

test("field errors are found by field, however the path is written", () => {
  const error = new ApiError({
    type: "about:blank",
    title: "Invalid",
    status: 400,
    code: "invalid",
    detail: "No.",
    retryable: false,
    errors: [
      { path: "/email", code: "format", detail: "Not an address." },
      { path: "owner_email", code: "format", detail: "Not an address either." },
      { path: "", code: "whole", detail: "The whole is wrong." },
    ],
  });

  expect(fieldErrors(error)).toEqual({ email: "Not an address.", owner_email: "Not an address either." });
});

test("what is no API error is shown as the console's own", () => {
  expect(problemOf(new Error("boom"))).toMatchObject({ code: "console.unexpected", detail: "boom" });
});

test("the row's version makes the condition", () => {
  expect(ifMatch({ version: 7 })).toEqual({ "If-Match": '"7"' });
});
