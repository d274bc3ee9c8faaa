import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Route, RouteVerdict, RoutingStatus } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";
const SHOP: Route = {
  id: "rte_1",
  name: "shop",
  priority: 7,
  enabled: true,
  match: { hosts: ["shop.example"], path: { prefix: "/shop" }, methods: ["GET"] },
  action: { kind: "upstream", pool: "shop" },
  modifiers: { cache: {} },
  created_at: AT,
  updated_at: AT,
  version: 3,
};
const STATUS: RoutingStatus = { applied: 4, version: 4, routes: 2, pools: 1, problems: [] };

const base = (permissions = ["edge.routes.read", "edge.routes.write"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/edge/routing": () => json(STATUS),
  "GET /api/v1/edge/routes": () => json({ items: [SHOP], next: null }),
  "GET /api/v1/edge/routes/rte_1": () => json(SHOP),
  "GET /api/v1/edge/pools": () => json({ items: [], next: null }),
});
const PATCH = "PATCH /api/v1/edge/routes/rte_1";
const CREATE = "POST /api/v1/edge/routes";

const write = (label: string, text: string) =>
  fireEvent.change(screen.getByRole("textbox", { name: label }), { target: { value: text } });

test("the list says in words which requests a route takes and what is done", async () => {
  const server = serve({
    ...base(),
    "GET /api/v1/edge/routes": () =>
      json({ items: [SHOP, { ...SHOP, id: "rte_2", name: "old", enabled: false }] }),
  });
  renderConsole("/routes?name=sho&sort=-name");

  const row = await screen.findByRole("row", { name: /^shop 7/ });
  expect(within(row).getByRole("link", { name: "shop" })).toHaveAttribute("href", "/console/routes/rte_1");
  expect(row).toHaveTextContent("shop.example /shop/* GET");
  expect(row).toHaveTextContent("to the pool shop");
  expect(within(row).getByText("on")).toBeInTheDocument();
  expect(within(screen.getByRole("row", { name: /^old/ })).getByText("off")).toBeInTheDocument();
  expect(await screen.findByText(/2 routes and 1 pool/)).toBeInTheDocument();
  const asked = new URL(server.to("GET /api/v1/edge/routes")[0]?.url ?? "").searchParams;
  expect([asked.get("filter"), asked.get("sort")]).toEqual(['name co "sho"', "-name"]);
});

test("an empty list explains itself and leads to a new route", async () => {
  serve({ ...base(), "GET /api/v1/edge/routes": () => json({ items: [], next: null }) });
  renderConsole("/routes");

  const words = await screen.findByText(/every request goes to Holdfast itself/);
  expect(within(words).getByRole("link", { name: "New route" })).toHaveAttribute(
    "href",
    "/console/routes/new",
  );
});

test("rows that are not in force are told with the reasons, and so is a server that lags behind", async () => {
  let status = { ...STATUS, problems: ["shop.action.pool: There is no such pool. (routes.pool_unknown)"] };
  serve({ ...base(), "GET /api/v1/edge/routing": () => json(status) });
  renderConsole("/routes");

  expect(await screen.findByRole("alert")).toHaveTextContent(/not in force.*There is no such pool/);
  status = { ...STATUS, applied: 3 };
  expect(await screen.findByText(/version 3, and version 4 is the latest/)).toBeInTheDocument();
});

test("who may only read is offered no change", async () => {
  serve(base(["edge.routes.read"]));
  renderConsole("/routes/rte_1");

  expect(await screen.findByRole("textbox", { name: "Match" })).toHaveAttribute("readonly");
  expect(screen.queryByRole("button", { name: /Save|Delete/ })).not.toBeInTheDocument();
});

test("saving sends the difference alone, with what was taken out as null", async () => {
  const server = serve({ ...base(), [PATCH]: () => json({ ...SHOP, version: 4 }) });
  renderConsole("/routes/rte_1");
  await screen.findByRole("textbox", { name: "Match" });
  write("Match", '{"hosts": ["shop.example"], "path": {"exact": "/"}}');
  write("Action", '{"kind": "respond", "status": 200}');
  await userEvent.click(screen.getByRole("switch", { name: /On/ }));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));

  await waitFor(() => expect(server.to(PATCH)).toHaveLength(1));
  const [sent] = server.to(PATCH);
  expect(sent?.headers.get("If-Match")).toBe('"3"');
  expect(await sent?.json()).toEqual({
    enabled: false,
    match: { path: { prefix: null, exact: "/" }, methods: null },
    action: { kind: "respond", pool: null, status: 200 },
  });
});

test("nothing is sent while a text is no JSON, or when nothing has changed", async () => {
  const server = serve(base());
  renderConsole("/routes/rte_1");
  await userEvent.click(await screen.findByRole("button", { name: "Save" }));
  expect(await screen.findByText("There is nothing to save.")).toBeInTheDocument();
  write("Modifiers", "{cache}");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));

  expect(await screen.findByText(/This is not JSON yet/)).toBeInTheDocument();
  await waitFor(() => expect(screen.getByRole("textbox", { name: "Modifiers" })).toHaveFocus());
  expect(server.to(PATCH)).toHaveLength(0);
});

test("every complaint is shown at the editor that it is about", async () => {
  const errors = [
    { path: "match.path", code: "routes.path_invalid", detail: "A path begins with a slash." },
    { path: "match.hosts[0]", code: "routes.host_invalid", detail: "This is no host." },
    { path: "cart.match", code: "routes.conflict", detail: "It is left nothing." },
    { path: "fresh.action.pool", code: "routes.pool_unknown", detail: "There is no such pool." },
  ];
  serve({ ...base(), [CREATE]: () => problem({ code: "edge.routes_invalid", errors }) });
  renderConsole("/routes/new");
  await userEvent.type(await screen.findByLabelText(/^Name/), "fresh");
  await userEvent.click(screen.getByRole("button", { name: "Create the route" }));

  const match = screen.getByRole("textbox", { name: "Match" });
  await waitFor(() => expect(match).toBeInvalid());
  expect(match).toHaveAccessibleDescription(
    /path: A path begins with a slash\..*hosts\[0\]: This is no host\./,
  );
  expect(screen.getByRole("textbox", { name: "Action" })).toHaveAccessibleDescription(
    /There is no such pool/,
  );
  expect(screen.getByRole("textbox", { name: "Modifiers" })).toBeValid();
  expect(screen.getByText("cart.match").closest("li")).toHaveTextContent("It is left nothing.");
  await waitFor(() => expect(match).toHaveFocus());
});

test("the commonest case is written without JSON, and a route that takes the console away is warned of", async () => {
  const server = serve({
    ...base(),
    "GET /api/v1/edge/pools": () => json({ items: [{ id: "pol_1", name: "shop" }], next: null }),
    [CREATE]: () => json(SHOP, 201),
  });
  renderConsole("/routes/new");
  expect(await screen.findByText(/takes every request here/)).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText(/^Name/), "shop");
  await userEvent.type(screen.getByLabelText(/^Hosts/, { selector: "input" }), "shop.example{Enter}");
  write("Path begins with", "/shop");
  await userEvent.click(screen.getByRole("combobox", { name: /^Pool/ }));
  await userEvent.click(await screen.findByRole("option", { name: "shop", hidden: true }));
  expect(screen.queryByText(/takes every request here/)).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Create the route" }));

  expect(await screen.findByRole("heading", { level: 1, name: "shop" })).toBeInTheDocument();
  expect(await server.to(CREATE)[0]?.json()).toEqual({
    name: "shop",
    priority: 0,
    enabled: true,
    match: { hosts: ["shop.example"], path: { prefix: "/shop" } },
    action: { kind: "upstream", pool: "shop" },
    modifiers: {},
  });
});

test("a route changed meanwhile offers to reload", async () => {
  const server = serve({ ...base(), [PATCH]: () => problem({ status: 412, code: "kernel.stale" }) });
  renderConsole("/routes/rte_1");
  await screen.findByRole("textbox", { name: "Match" });
  write("Match", "{}");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await userEvent.click(await screen.findByRole("button", { name: "Reload" }));

  await waitFor(() => expect(server.to("GET /api/v1/edge/routes/rte_1").length).toBeGreaterThan(1));
});

test("a route is deleted after a question", async () => {
  const DELETE = "DELETE /api/v1/edge/routes/rte_1";
  const server = serve({ ...base(), [DELETE]: () => new Response(null, { status: 204 }) });
  renderConsole("/routes/rte_1");
  await userEvent.click(await screen.findByRole("button", { name: "Delete" }));
  await userEvent.click(await screen.findByRole("button", { name: "Delete the route" }));

  expect(await screen.findByRole("heading", { level: 1, name: "Routes" })).toBeInTheDocument();
  expect(server.to(DELETE)[0]?.headers.get("If-Match")).toBe('"3"');
});

const PURGE = "POST /api/v1/edge/cache/purge";

test("a purge tells how many answers went", async () => {
  const server = serve({ ...base(), [PURGE]: () => json({ answers: 12 }) });
  renderConsole("/routes");
  await userEvent.click(await screen.findByRole("button", { name: "Purge the cache" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByLabelText("Path begins with"), "shop");
  await userEvent.click(within(dialog).getByRole("button", { name: "Purge" }));
  expect(await within(dialog).findByText("A path begins with a slash.")).toBeInTheDocument();
  await userEvent.clear(within(dialog).getByLabelText("Path begins with"));
  await userEvent.type(within(dialog).getByLabelText("Path begins with"), "/shop/");
  await userEvent.click(within(dialog).getByRole("button", { name: "Purge" }));

  expect(await screen.findByText("12 answers are gone.")).toBeInTheDocument();
  expect(await server.to(PURGE)[0]?.json()).toEqual({ prefix: "/shop/", soft: false });
});

test.each([
  ["One URL", "URL", "https://shop.example/a", { url: "https://shop.example/a", soft: true }],
  ["By surrogate key", "Surrogate keys", " a  b ", { keys: ["a", "b"], soft: true }],
  ["Everything", undefined, "", { everything: true, soft: true }],
])("a purge %s can keep answers as stale ones", async (way, label, text, body) => {
  const server = serve({ ...base(), [PURGE]: () => json({ answers: 1 }) });
  renderConsole("/routes");
  await userEvent.click(await screen.findByRole("button", { name: "Purge the cache" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("combobox", { name: "What to purge" }));
  await userEvent.click(await screen.findByRole("option", { name: way, hidden: true }));
  if (label) {
    await userEvent.click(within(dialog).getByRole("button", { name: "Purge" }));
    expect(server.to(PURGE)).toEqual([]);
    await userEvent.type(within(dialog).getByLabelText(label), text);
  }
  await userEvent.click(within(dialog).getByLabelText("Keep as stale"));
  await userEvent.click(within(dialog).getByRole("button", { name: "Purge" }));

  expect(await screen.findByText("1 answer counts as stale.")).toBeInTheDocument();
  expect(await server.to(PURGE)[0]?.json()).toEqual(body);
});

const EXPLAIN = "POST /api/v1/edge/routing/explain";
const VERDICT: RouteVerdict = {
  route: "shop",
  candidates: [
    { id: "beta", name: "", priority: 9, chosen: false, unmet: { condition: "header", detail: "x-beta" } },
    { id: "shop", name: "", priority: 7, chosen: true, unmet: null },
    { id: "late", name: "", priority: 0, chosen: false, unmet: null },
  ],
  outcome: {
    route: "shop",
    parameters: [["id", "7"]],
    action: { kind: "upstream", pool: "shop" },
    target: "/cart?item=7",
    location: null,
    request_headers: [["accept", "text/html"]],
    admitted_by_address: true,
    in_maintenance: false,
    is_preflight: false,
    basic_auth: true,
    client_certificate: false,
    limits: { max_body_bytes: 1024, timeout_seconds: null },
    rate_limits: [],
    shedding: "normal",
    cached: true,
  },
};

test("a request in the URL is explained: the route, what is done, and why the others are not it", async () => {
  const server = serve({ ...base(), [EXPLAIN]: () => json(VERDICT) });
  const query = new URLSearchParams({
    method: "POST",
    host: "shop.example",
    target: "/shop/cart?item=7",
    headers: "Accept: text/html",
  });
  renderConsole(`/routes/try?${query.toString()}`);

  const table = await screen.findByRole("table", { name: "Candidates" });
  expect(within(table).getByRole("row", { name: /beta/ })).toHaveTextContent(/no.*header x-beta is missing/);
  expect(within(table).getByRole("row", { name: /shop/ })).toHaveTextContent(/yes.*first that matches/);
  expect(within(table).getByRole("row", { name: /late/ })).toHaveTextContent(/no.*another one goes first/);
  for (const fact of ["to the pool shop", "/cart?item=7", "id = 7", "1.0 KiB", "accept: text/html"])
    expect(screen.getByText(fact)).toBeInTheDocument();
  expect(screen.getByText(/401 unless name and password/)).toBeInTheDocument();
  expect(await server.to(EXPLAIN)[0]?.json()).toEqual({
    method: "POST",
    host: "shop.example",
    target: "/shop/cart?item=7",
    headers: ["Accept: text/html"],
  });
});

test("what is asked goes into the URL, and what no route takes is Holdfast's own", async () => {
  serve({ ...base(), [EXPLAIN]: () => json({ route: null, candidates: [], outcome: null }) });
  const router = renderConsole("/routes/try");
  await userEvent.clear(await screen.findByLabelText(/^Path/));
  await userEvent.click(screen.getByRole("button", { name: "What would happen?" }));
  expect(await screen.findByText("A path begins with a slash.")).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText(/^Path/), "/else");
  await userEvent.click(screen.getByRole("button", { name: "What would happen?" }));

  expect(await screen.findByText("No route takes it")).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ method: "GET", host: "localhost", target: "/else" });
});

test("a question that can't be asked says why", async () => {
  const detail = 'This can\'t be asked: "nowhere" is no address.';
  serve({ ...base(), [EXPLAIN]: () => problem({ code: "edge.question_invalid", detail }) });
  renderConsole("/routes/try?host=a.test&target=/&client=nowhere");

  expect(await screen.findByRole("alert")).toHaveTextContent("is no address");
});
