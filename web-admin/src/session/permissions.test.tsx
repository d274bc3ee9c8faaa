import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderConsole } from "../test/render";
import { json, me, serve } from "../test/server";

const empty = () => json({ items: [], next: null });

test("who may only read roles sees no button to make one, and no way to what is closed", async () => {
  serve({
    "GET /api/v1/identity/me": () => json(me(["tenancy.roles.read"])),
    "GET /api/v1/tenancy/roles": empty,
  });
  renderConsole("/roles");

  expect(await screen.findByRole("heading", { level: 1, name: "Roles" })).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "New role" })).toBeNull();
  expect(screen.queryByRole("link", { name: "Audit" })).toBeNull();
  expect(screen.getByRole("link", { name: "Sessions" })).toBeInTheDocument();
});

test("who may write roles gets the button", async () => {
  const permissions = ["tenancy.roles.read", "tenancy.roles.write"];
  serve({ "GET /api/v1/identity/me": () => json(me(permissions)), "GET /api/v1/tenancy/roles": empty });
  renderConsole("/roles");

  expect(await screen.findByRole("link", { name: "New role" })).toBeInTheDocument();
});
