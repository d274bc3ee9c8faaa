import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderConsole } from "../../test/render";
import { json, me, serve } from "../../test/server";

const STATE = "GET /api/v1/identity/setup";
const COMPLETE = "POST /api/v1/identity/setup";

test("the token of the link makes the operator, leaves the address, and the operator is signed in", async () => {
  const server = serve({
    [STATE]: () => json({ needed: true }),
    [COMPLETE]: () => json(me().account, 201),
    "POST /api/v1/identity/sessions": () => json({}, 201),
    "GET /api/v1/identity/me": () => json(me()),
  });
  renderConsole("/setup#token=once");

  await userEvent.type(await screen.findByLabelText(/^E-mail/), "ada@example.com");
  await userEvent.type(screen.getByLabelText(/^Password/), "fifteen letters");
  await userEvent.click(screen.getByRole("button", { name: "Create the account" }));

  expect(await screen.findByRole("heading", { level: 1, name: "Home" })).toBeInTheDocument();
  expect(await server.to(COMPLETE)[0]?.json()).toEqual({
    token: "once",
    email: "ada@example.com",
    password: "fifteen letters",
  });
  expect(window.location.hash).toBe("");
});

test("a short password is refused before it is sent", async () => {
  const server = serve({ [STATE]: () => json({ needed: true }) });
  renderConsole("/setup#token=once");

  await userEvent.type(await screen.findByLabelText(/^E-mail/), "ada@example.com");
  await userEvent.type(screen.getByLabelText(/^Password/), "fourteen chars");
  await userEvent.click(screen.getByRole("button", { name: "Create the account" }));

  expect(await screen.findByText("Use at least 15 characters.")).toBeInTheDocument();
  expect(server.to(COMPLETE)).toEqual([]);
});

test("a server that has its operator says so", async () => {
  serve({ [STATE]: () => json({ needed: false }) });
  renderConsole("/setup#token=once");

  expect(await screen.findByText("This is done already")).toBeInTheDocument();
});
