import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { EdgeRequest } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";
import { followRequests } from "./tail";
import { filterOf, placeOf, took, toneOf } from "./words";

const LIST = "GET /api/v1/edge/requests";
const LIVE = "GET /api/v1/edge/requests/live";

function request(number: number, more: Partial<EdgeRequest> = {}): EdgeRequest {
  return {
    number,
    at: "2026-01-01T00:00:00.000000Z",
    method: "GET",
    scheme: "https",
    host: "shop.example",
    path: `/shop/${number}`,
    protocol: "HTTP/2.0",
    status: 200,
    duration_us: 1200,
    bytes: 2048,
    complete: true,
    route: "shop",
    refused_by: [],
    would_refuse: [],
    address: "203.0.113.9",
    request_id: `req_${number}`,
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    ...more,
  };
}

const event = (name: string, id: number, data: object) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** An open stream that says these, and then no more until it is left. */
function stream(...events: string[]): Response {
  const body = new ReadableStream({
    start: (controller) => events.forEach((text) => controller.enqueue(new TextEncoder().encode(text))),
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

const base = (permissions = ["edge.requests.read", "edge.routes.read"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  [LIST]: () => json({ items: [request(7)], next: null }),
  [LIVE]: () => stream(event("request", 8, request(8, { status: 502, would_refuse: ["newcomers"] }))),
});

test("filters are written in the grammar of the API", () => {
  const search = { method: "GET", path: '/a"', status: "5xx", tenant: "acme", took: "1.5" };

  expect(filterOf(search)).toBe(
    'method eq "GET" and path sw "/a\\"" and status ge 500 and status lt 600 and tenant eq "acme" and duration_us ge 1500',
  );
  expect(filterOf({ status: "nonsense", took: "x" })).toBeUndefined();
});

test("requests have their words and colours", () => {
  expect([200, 304, 404, 499, 503].map((status) => toneOf(request(1, { status })))).toEqual([
    "ok",
    "ok",
    "warn",
    "warn",
    "bad",
  ]);
  expect([800, 12_400, 3_400_000].map(took)).toEqual(["0.8 ms", "12 ms", "3.4 s"]);
  expect(placeOf(request(1))).toBe("shop");
  expect(placeOf(request(1, { route: null, operation: "/graphql" }))).toBe("/graphql");
  expect(placeOf(request(1, { route: null, operation: "none" }))).toBe("–");
});

test("recent requests come first, then each new one on top, and a row opens all of it", async () => {
  const api = serve(base());
  renderConsole("/traffic?path=/shop/");

  const table = await screen.findByRole("table", { name: "Requests" });
  const fresh = await within(table).findByRole("button", { name: "GET /shop/8" });
  expect(
    within(table)
      .getAllByRole("button")
      .map((each) => each.textContent),
  ).toEqual(["GET /shop/8", "GET /shop/7"]);
  expect(screen.getByText("Live")).toBeVisible();
  const [live] = api.to(LIVE);
  expect(live?.headers.get("Last-Event-ID")).toBe("7");
  expect(new URL(live?.url ?? "").searchParams.get("filter")).toBe('path sw "/shop/"');
  await userEvent.click(fresh);

  const drawer = await screen.findByRole("dialog", { name: "Request" });
  for (const part of ["req_8", "4bf92f3577b34da6a3ce929d0e0e4736", "502", "newcomers", "2.0 KiB"])
    expect(drawer).toHaveTextContent(part);
});

test("a pause stops the tail, and going on begins with what is recent then", async () => {
  const api = serve(base());
  renderConsole("/traffic");
  await screen.findByRole("button", { name: "GET /shop/8" });
  await userEvent.click(screen.getByRole("button", { name: "Pause" }));
  expect(screen.getByText("Paused")).toBeVisible();
  expect(screen.getByRole("button", { name: "GET /shop/8" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Go on" }));

  await waitFor(() => expect(api.to(LIST)).toHaveLength(2));
  await waitFor(() => expect(api.to(LIVE)).toHaveLength(2));
});

test("what was missed is said, and so is that there is nothing yet", async () => {
  serve({
    ...base(),
    [LIST]: () => json({ items: [], next: null }),
    [LIVE]: () => stream(event("missed", 4, { missed: 12 })),
  });
  renderConsole("/traffic");

  expect(await screen.findByText(/There is no request yet/)).toBeVisible();
  expect(await screen.findByText(/12 requests came faster/)).toBeVisible();
});

test("a refusal is shown with the way to try again", async () => {
  let refuse = true;
  serve({
    ...base(),
    [LIST]: () =>
      refuse ? problem({ code: "kernel.filter_invalid" }) : json({ items: [request(7)], next: null }),
  });
  renderConsole("/traffic");
  expect(await screen.findByRole("alert")).toHaveTextContent("kernel.filter_invalid");
  refuse = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(await screen.findByRole("button", { name: "GET /shop/7" })).toBeVisible();
});

test("a connection that ends is taken up again behind the last event", async () => {
  const answers = [new Response(event("request", 8, request(8))), stream(event("request", 9, request(9)))];
  const api = serve({ ...base(), [LIVE]: () => answers.shift() ?? stream() });
  const stop = new AbortController();
  const heard: number[] = [];

  await followRequests({
    filter: undefined,
    signal: stop.signal,
    onBegin: () => undefined,
    onRequest: ({ number }) => {
      heard.push(number);
      if (number === 9) stop.abort();
    },
    onMissed: () => undefined,
    onConnected: () => undefined,
    pauseMs: 1,
  });

  expect(heard).toEqual([8, 9]);
  expect(api.to(LIVE).map((each) => each.headers.get("Last-Event-ID"))).toEqual(["7", "8"]);
});

test("traffic and limits are in the navigation of those who may", async () => {
  serve(base(["edge.routes.read"]));
  renderConsole("/limits");

  const main = await screen.findByRole("navigation", { name: "Main" });
  expect(within(main).getByRole("link", { name: "Limits" })).toBeInTheDocument();
  expect(within(main).queryByRole("link", { name: "Traffic" })).not.toBeInTheDocument();
});
