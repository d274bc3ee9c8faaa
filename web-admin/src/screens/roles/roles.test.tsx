import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Role } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const HELD = ["tenancy.roles.read", "tenancy.roles.write", "audit.read"];
const PERMISSIONS = ["audit.read", "jobs.read"].map((name) => ({
  name,
  module: name.split(".")[0] ?? "",
  description: "",
  granted_to: [],
}));
const AT = "2026-01-01T00:00:00.000000Z";
const AUDITOR: Role = {
  id: "rol_1",
  name: "auditor",
  description: "",
  built_in: false,
  permissions: [],
  created_at: AT,
  updated_at: AT,
  version: 3,
};
const PATCH = "PATCH /api/v1/tenancy/roles/rol_1";

function start(answers: Parameters<typeof serve>[0] = {}) {
  const server = serve({
    "GET /api/v1/identity/me": () => json(me(HELD)),
    "GET /api/v1/tenancy/permissions": () => json({ items: PERMISSIONS, next: null }),
    "GET /api/v1/tenancy/roles/rol_1": () => json(AUDITOR),
    ...answers,
  });
  renderConsole("/roles/rol_1");
  return server;
}

test("saving sends the version that was read", async () => {
  const server = start({ [PATCH]: () => json({ ...AUDITOR, version: 4, permissions: ["audit.read"] }) });

  await userEvent.click(await screen.findByLabelText("audit.read"));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));

  await waitFor(() => expect(server.to(PATCH)).toHaveLength(1));
  const [request] = server.to(PATCH);
  expect(request?.headers.get("If-Match")).toBe('"3"');
  expect(await request?.json()).toMatchObject({ permissions: ["audit.read"] });
});

test("what one does not hold can't be given", async () => {
  start();

  expect(await screen.findByLabelText("jobs.read")).toBeDisabled();
  expect(screen.getByLabelText("audit.read")).toBeEnabled();
});

test("a role changed meanwhile offers to reload", async () => {
  const server = start({ [PATCH]: () => problem({ status: 412, code: "request.stale" }) });

  await userEvent.click(await screen.findByLabelText("audit.read"));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await userEvent.click(await screen.findByRole("button", { name: "Reload" }));

  await waitFor(() => expect(server.to("GET /api/v1/tenancy/roles/rol_1").length).toBeGreaterThan(1));
});
