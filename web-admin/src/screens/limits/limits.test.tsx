import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { LimitInForce, LimitSimulation } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";
import { byInWords, shareInWords } from "./words";

const SIMULATE = "POST /api/v1/edge/limits/simulate";

const LIMIT: LimitInForce = {
  name: "address",
  everywhere: true,
  by: ["address"],
  per_minute: 6000,
  burst: 1200,
  cost: 1,
  dry_run: false,
  shared: false,
  refused: 17,
  would_refuse: 0,
  clients: 40,
};
const NEWCOMERS: LimitInForce = {
  ...LIMIT,
  name: "newcomers",
  everywhere: false,
  by: ["key", "route"],
  dry_run: true,
  shared: true,
  refused: 0,
  would_refuse: 9,
  cost: 5,
};
const TOLD: LimitSimulation = {
  from: "2026-01-01T00:00:00.000000Z",
  to: "2026-01-01T00:01:00.000000Z",
  requests: 40,
  refused: 10,
  clients: 4,
  clients_refused: 1,
  top: [{ who: [{ by: "address", value: "203.0.113.9" }], requests: 25, refused: 10 }],
  in_force: [{ name: "address", refused: 3, would_refuse: 0 }],
};

const base = (permissions = ["edge.routes.read", "edge.requests.read"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/edge/limits": () => json({ limits: [LIMIT, NEWCOMERS] }),
});

test("limits have their words", () => {
  expect(byInWords(["key", "route"])).toBe("credential and route");
  expect(shareInWords(10, 40)).toBe("10 of 40 (25 %)");
  expect(shareInWords(0, 0)).toBe("none");
});

test("the limits in force tell their figures", async () => {
  serve(base());
  renderConsole("/limits");

  const address = await screen.findByRole("row", { name: /^address/ });
  for (const part of ["every request", "6000 a minute, 1200 at once", "refuses", "17", "40"])
    expect(address).toHaveTextContent(part);
  const newcomers = screen.getByRole("row", { name: /^newcomers/ });
  for (const part of [
    "routes that name it",
    "all servers together",
    "takes 5",
    "dry run",
    "9 would have been",
  ])
    expect(newcomers).toHaveTextContent(part);
});

test("a limit is tried, and what it would have done is told", async () => {
  const api = serve({ ...base(), [SIMULATE]: () => json(TOLD) });
  renderConsole("/limits");
  await userEvent.click(await screen.findByRole("checkbox", { name: "route" }));
  const rate = screen.getByRole("textbox", { name: "Requests a minute" });
  await userEvent.clear(rate);
  await userEvent.type(rate, "30");
  await userEvent.type(screen.getByRole("textbox", { name: "Path begins with" }), "/shop/");
  await userEvent.click(screen.getByRole("button", { name: "What would it refuse?" }));

  expect(await screen.findByText("10 of 40 (25 %)")).toBeVisible();
  const clients = screen.getByRole("table", { name: "Clients with the most refusals" });
  expect(within(clients).getByRole("row", { name: /203\.0\.113\.9/ })).toHaveTextContent("10");
  const [sent] = api.to(SIMULATE);
  expect(await sent?.json()).toEqual({
    by: ["address", "route"],
    per_minute: 30,
    burst: 20,
    cost: 1,
    filter: 'path sw "/shop/"',
  });
});

test("what can't be a limit is said before it is asked, and what the server refuses is shown", async () => {
  const errors = [{ path: "burst", code: "edge.limit_invalid", detail: "The server says no." }];
  const api = serve({ ...base(), [SIMULATE]: () => problem({ code: "edge.limit_invalid", errors }) });
  renderConsole("/limits");
  const cost = await screen.findByRole("textbox", { name: "A request takes" });
  await userEvent.clear(cost);
  await userEvent.type(cost, "21");
  await userEvent.click(screen.getByRole("button", { name: "What would it refuse?" }));
  expect(cost).toHaveAccessibleDescription("At most as many as at once.");
  expect(api.to(SIMULATE)).toHaveLength(0);
  await userEvent.clear(cost);
  await userEvent.type(cost, "2");
  await userEvent.click(screen.getByRole("button", { name: "What would it refuse?" }));

  expect(await screen.findByRole("alert")).toHaveTextContent("edge.limit_invalid");
  expect(screen.getByRole("textbox", { name: "At once" })).toHaveAccessibleDescription("The server says no.");
});

test("who may not see requests sees the limits, and tries none", async () => {
  serve(base(["edge.routes.read"]));
  renderConsole("/limits");

  await screen.findByRole("row", { name: /^address/ });
  expect(screen.queryByRole("button", { name: "What would it refuse?" })).not.toBeInTheDocument();
});
