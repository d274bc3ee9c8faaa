import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { pageOf, pathOf } from "../../session/use-sign-in";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const ME = "GET /api/v1/identity/me";
const SIGN_IN = "POST /api/v1/identity/sessions";
const unauthenticated = () =>
  problem({ status: 401, code: "identity.unauthenticated", detail: "Sign in first." });

async function fill(password: string) {
  await userEvent.type(await screen.findByLabelText(/^E-mail/), "ada@example.com");
  if (password) await userEvent.type(screen.getByLabelText(/^Password/), password);
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

test("a screen without a session leads to the sign-in and back to the screen", async () => {
  let signedIn = false;
  const server = serve({
    [ME]: () => (signedIn ? json(me(["tenancy.roles.read"])) : unauthenticated()),
    [SIGN_IN]: () => {
      signedIn = true;
      return json({}, 201);
    },
    "GET /api/v1/tenancy/roles": () => json({ items: [], next: null }),
  });
  const router = renderConsole("/roles?sort=name");

  await fill("a long enough password");

  expect(await screen.findByRole("heading", { level: 1, name: "Roles" })).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ sort: "name" });
  const [request] = server.to(SIGN_IN);
  expect(await request?.json()).toMatchObject({ email: "ada@example.com", transport: "cookie" });
  expect(request?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f-]{36}$/);
});

test("a refused sign-in stays and tells why", async () => {
  serve({
    [ME]: unauthenticated,
    [SIGN_IN]: () =>
      problem({ status: 401, code: "identity.credentials", detail: "Wrong e-mail or password." }),
  });
  renderConsole("/sign-in");

  await fill("wrong");

  expect(await screen.findByRole("alert")).toHaveTextContent("identity.credentials");
});

test("nothing is sent without a password", async () => {
  const server = serve({ [ME]: unauthenticated });
  renderConsole("/sign-in");

  await fill("");

  expect(await screen.findByText("Enter your password.")).toBeInTheDocument();
  expect(server.to(SIGN_IN)).toEqual([]);
});

test("a session that ends while working leads to the sign-in", async () => {
  let over = false;
  serve({
    [ME]: () => (over ? unauthenticated() : json(me(["tenancy.roles.read"]))),
    "GET /api/v1/tenancy/roles": unauthenticated,
  });
  const router = renderConsole("/account");
  await userEvent.click(await screen.findByRole("link", { name: "Roles" }));
  over = true;

  expect(await screen.findByRole("heading", { level: 1, name: "Sign in" })).toBeInTheDocument();
  await waitFor(() => expect(router.state.location.search).toEqual({ next: "/roles" }));
});

test.each([
  ["/audit?outcome=denied", "/audit?outcome=denied"],
  ["//evil.example", "/"],
  ["https://evil.example", "/"],
  [undefined, "/"],
])("next %s leads to %s", (next, path) => {
  expect(pathOf(next)).toBe(path);
});

test.each([
  ["/shop/cart?x=1", "https://a.test/shop/cart?x=1"],
  ["//evil.example", undefined],
  ["/\\evil.example", undefined],
  ["https://evil.example/", undefined],
  ["shop", undefined],
  [undefined, undefined],
])("to %s leads to %s", (to, page) => {
  expect(pageOf(to, "https://a.test")).toBe(page);
});
