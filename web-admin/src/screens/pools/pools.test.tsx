import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Pool, PoolStatus } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";
import { stateInWords, targetsOf, toneOf } from "./upstreams";

const AT = "2026-01-01T00:00:00.000000Z";
const SHOP: Pool = {
  id: "pol_1",
  name: "shop",
  settings: { targets: [{ url: "http://10.0.0.7:3000" }], retry: { attempts: 2 } },
  created_at: AT,
  updated_at: AT,
  version: 5,
};
const server = (url: string, more: object = {}) => ({
  url,
  weight: 1,
  state: "healthy",
  ejected_for: null,
  share_percent: 100,
  in_flight: 3,
  latency_ms: 12.4,
  requests: 90,
  failures: 0,
  last_error: null,
  ...more,
});
const FAILING = server("http://10.0.0.8:3000", {
  state: "ejected",
  ejected_for: 11.2,
  failures: 4,
  last_error: { sentence: "Connection refused.", seconds_ago: 8.4 },
});
const STANDING: PoolStatus[] = [
  { name: "shop", in_flight: 6, limit: null, targets: [server("http://10.0.0.7:3000"), FAILING] },
  { name: "fromfile", in_flight: 0, limit: null, targets: [server("https://files.example")] },
];

const base = (permissions = ["edge.routes.read", "edge.routes.write"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/edge/routing": () => json({ applied: 1, version: 1, routes: 0, pools: 2, problems: [] }),
  "GET /api/v1/edge/upstreams": () => json({ pools: STANDING }),
  "GET /api/v1/edge/pools": () => json({ items: [SHOP], next: null }),
  "GET /api/v1/edge/pools/pol_1": () => json(SHOP),
});

test("each state of a server has its words and its colour", () => {
  const [healthy, ejected, slow, leaving, unhealthy] = targetsOf({
    name: "x",
    in_flight: 0,
    targets: [
      server("a"),
      FAILING,
      server("b", { state: "slow_start", share_percent: 40 }),
      server("c", { state: "draining", weight: 0 }),
      server("d", { state: "unhealthy" }),
    ],
  }).map((target) => [stateInWords(target), toneOf(target)]);

  expect(healthy).toEqual(["healthy", "ok"]);
  expect(ejected).toEqual(["taken out for 12 s", "warn"]);
  expect(slow).toEqual(["warming up, 40 %", "busy"]);
  expect(leaving).toEqual(["leaving", "idle"]);
  expect(unhealthy).toEqual(["unhealthy", "bad"]);
});

test("the list tells how each server stands, and shows the pools of the file apart", async () => {
  serve(base());
  renderConsole("/routes/pools");

  const row = await screen.findByRole("row", { name: /^shop/ });
  await waitFor(() => expect(row).toHaveTextContent("taken out for 12 s"));
  expect(row).toHaveTextContent("3 in flight · 12 ms · 4 of 90 failed");
  expect(row).toHaveTextContent("Last error: Connection refused. (8 s ago)");
  expect(within(row).getByRole("link", { name: "shop" })).toHaveAttribute(
    "href",
    "/console/routes/pools/pol_1",
  );
  expect(screen.getByRole("table", { name: "Servers of fromfile" })).toHaveTextContent(
    "https://files.example",
  );
  expect(screen.queryByRole("table", { name: "Servers of shop" })).not.toBeInTheDocument();
});

test("an empty list explains itself and leads to a new pool", async () => {
  serve({ ...base(), "GET /api/v1/edge/pools": () => json({ items: [], next: null }) });
  renderConsole("/routes/pools");

  const words = await screen.findByText(/A pool is a list of servers/);
  expect(within(words).getByRole("link", { name: "New pool" })).toHaveAttribute(
    "href",
    "/console/routes/pools/new",
  );
});

test("a pool's page shows its servers, and sends what was changed of its settings", async () => {
  const PATCH = "PATCH /api/v1/edge/pools/pol_1";
  const errors = [{ path: "settings.targets", code: "routes.pool_invalid", detail: "It has no target." }];
  const api = serve({ ...base(), [PATCH]: () => problem({ code: "edge.routes_invalid", errors }) });
  renderConsole("/routes/pools/pol_1");
  expect(await screen.findByRole("table", { name: "Servers of shop" })).toHaveTextContent(
    "Connection refused.",
  );
  const settings = screen.getByRole("textbox", { name: "Settings" });
  fireEvent.change(settings, { target: { value: '{"targets": []}' } });
  await userEvent.click(screen.getByRole("button", { name: "Save" }));

  await waitFor(() => expect(settings).toHaveAccessibleDescription(/targets: It has no target\./));
  const [sent] = api.to(PATCH);
  expect(sent?.headers.get("If-Match")).toBe('"5"');
  expect(await sent?.json()).toEqual({ settings: { targets: [], retry: null } });
});

test("a pool that a route names is not deleted, and the route is named", async () => {
  const errors = [
    { path: "cart.action.pool", code: "routes.pool_unknown", detail: "There is no such pool." },
  ];
  serve({
    ...base(),
    "DELETE /api/v1/edge/pools/pol_1": () => problem({ code: "edge.routes_invalid", errors }),
  });
  renderConsole("/routes/pools/pol_1");
  await userEvent.click(await screen.findByRole("button", { name: "Delete" }));
  await userEvent.click(await screen.findByRole("button", { name: "Delete the pool" }));

  expect(await screen.findByRole("alert")).toHaveTextContent("cart.action.pool There is no such pool.");
});
