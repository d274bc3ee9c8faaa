import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Collection, Grant } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";

const collection: Collection = {
  id: "col_1",
  name: "Harbour",
  description: "",
  searchable: true,
  owner_id: "usr_1",
  created_at: AT,
  updated_at: AT,
  version: 1,
};

const grant = (given: Partial<Grant>): Grant => ({
  id: "gra_1",
  collection_id: "col_1",
  subject: "everyone",
  access: "read",
  valid_from: AT,
  created_at: AT,
  created_by: "usr_1",
  ...given,
});

const member = (id: string, display_name: string, email: string) => ({
  id: `mem_${id}`,
  account_id: `usr_${id}`,
  display_name,
  email,
  role: { id: "rol_1", name: "member" },
  created_at: AT,
  version: 1,
});

const MEMBERS = [member("2", "Grace", "grace@example.com"), member("3", "", "joan@example.com")];
const PERMISSIONS = ["vault.read", "vault.share", "tenancy.members.read", "tenancy.roles.read"];

const base = (grants: Grant[], permissions = PERMISSIONS) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/vault/collections/col_1": () => json(collection),
  "GET /api/v1/vault/grants": () => json({ items: grants, next: null }),
  "GET /api/v1/tenancy/roles": () => json({ items: [{ id: "rol_9", name: "auditor" }], next: null }),
  "GET /api/v1/tenancy/members": (request: Request) => {
    const filter = new URL(request.url).searchParams.get("filter") ?? "";
    const items = MEMBERS.filter(({ email }) => filter === "" || filter.includes(email.slice(0, 3)));
    return json({ items, next: null });
  },
  "POST /api/v1/vault/grants": () => json(grant({}), 201),
});

const open = async () => {
  renderConsole("/vault/collections/col_1?tab=grants");
  await userEvent.click(await screen.findByRole("button", { name: "Grant access" }));
  return within(await screen.findByRole("dialog"));
};

test("a member is found by a part of the name or e-mail, and never pasted as an id", async () => {
  const server = serve(base([]));
  const form = await open();
  await userEvent.click(form.getByRole("button", { name: "Grant" }));
  expect(form.getByRole("combobox", { name: "Member" })).toHaveAccessibleDescription(/Choose who it is for/);

  await userEvent.type(form.getByRole("combobox", { name: "Member" }), "gra");
  await waitFor(() =>
    expect(screen.queryByRole("option", { name: /joan/, hidden: true })).not.toBeInTheDocument(),
  );
  await userEvent.click(
    await screen.findByRole("option", { name: "Grace (grace@example.com)", hidden: true }),
  );
  await userEvent.click(form.getByLabelText("Read and write"));
  await userEvent.click(form.getByRole("button", { name: "Grant" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());

  const filters = server
    .to("GET /api/v1/tenancy/members")
    .map(({ url }) => new URL(url).searchParams.get("filter"));
  expect(filters).toContain('email co "gra" or display_name co "gra"');
  const [sent] = server.to("POST /api/v1/vault/grants");
  expect(await sent?.json()).toEqual({
    collection_id: "col_1",
    subject: "account",
    subject_id: "usr_2",
    access: "write",
  });
});

test("a role is chosen by its name, for a time; an end before the beginning is refused here", async () => {
  const server = serve(base([]));
  const form = await open();
  await userEvent.click(form.getByLabelText("All who have a role"));
  await userEvent.click(form.getByRole("combobox", { name: "Role" }));
  await userEvent.click(await screen.findByRole("option", { name: "auditor", hidden: true }));
  await userEvent.type(form.getByLabelText("From"), "2999-02-01T00:00");
  await userEvent.type(form.getByLabelText("Until"), "2999-01-01T00:00");
  await userEvent.click(form.getByRole("button", { name: "Grant" }));
  expect(form.getByLabelText("Until")).toHaveAccessibleDescription(/would have ended before it begins/);

  await userEvent.clear(form.getByLabelText("Until"));
  await userEvent.click(form.getByRole("button", { name: "Grant" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  const [sent] = server.to("POST /api/v1/vault/grants");
  expect(await sent?.json()).toMatchObject({
    subject: "role",
    subject_id: "rol_9",
    access: "read",
    valid_from: new Date("2999-02-01T00:00").toISOString(),
  });
});

test("who may not see the members is asked for an id", async () => {
  serve(base([], ["vault.read", "vault.share"]));
  const form = await open();

  expect(form.getByLabelText(/Account id/)).toBeInTheDocument();
});

test("a grant says whether it is in force, who gave it and what it is on", async () => {
  serve(
    base([
      grant({ id: "gra_1", subject: "account", subject_id: "usr_2", created_by: "usr_3" }),
      grant({ id: "gra_2", valid_from: "2999-01-01T00:00:00Z", created_by: null }),
      grant({ id: "gra_3", valid_until: "2026-01-02T00:00:00Z", document_id: "doc_1" }),
    ]),
  );
  renderConsole("/vault/collections/col_1?tab=grants");
  const rows = within(await screen.findByRole("table", { name: "Grants" })).getAllByRole("row");

  await waitFor(() => expect(rows[1]).toHaveTextContent("Grace grace@example.com"));
  expect(rows[1]).toHaveTextContent("in force");
  expect(rows[1]).toHaveTextContent("joan@example.com");
  expect(rows[2]).toHaveTextContent("not valid yet");
  expect(rows[2]).toHaveTextContent("Holdfast");
  expect(rows[3]).toHaveTextContent("expired");
  expect(within(rows[3] as HTMLElement).getByRole("link", { name: "one document" })).toBeInTheDocument();
});
