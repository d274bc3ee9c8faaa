import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Collection, VaultRecord } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";

const SCHEMA = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string", title: "Name of the boat" },
    berths: { type: "integer" },
    rig: { enum: ["sloop", "ketch"] },
    home: { type: "object", properties: { port: { type: "string" } } },
    log: { type: "array", items: { type: "object" } },
  },
};

const collection = (given: Partial<Collection> = {}): Collection => ({
  id: "col_1",
  name: "Boats",
  description: "",
  searchable: false,
  model: null,
  schema: SCHEMA,
  owner_id: "usr_1",
  created_at: AT,
  updated_at: AT,
  version: 3,
  ...given,
});

const record = (data: unknown, version = 1): VaultRecord => ({
  id: "rec_1",
  collection_id: "col_1",
  data,
  owner_id: "usr_1",
  created_at: AT,
  updated_at: AT,
  version,
});

const base = (of: Collection, data?: unknown) => ({
  "GET /api/v1/identity/me": () => json(me(["vault.read", "vault.write"])),
  "GET /api/v1/vault/collections/col_1": () => json(of),
  "GET /api/v1/vault/records": () => json({ items: data ? [record(data)] : [], next: null }),
  "GET /api/v1/vault/records/rec_1": () => json(record(data)),
});

const body = async (request: Request | undefined) => (await request?.json()) as unknown;

test("a new record is written by fields, and a refusal is shown at the field that it is about", async () => {
  let refuse = true;
  const server = serve({
    ...base(collection()),
    "POST /api/v1/vault/records": () =>
      refuse
        ? problem({
            code: "vault.record_invalid",
            errors: [
              { path: "data.home.port", code: "vault.record_invalid", detail: "The port is unknown." },
              { path: "data.berths", code: "vault.record_invalid", detail: "Too many berths." },
            ],
          })
        : json(record({}), 201),
  });
  renderConsole("/vault/collections/col_1?tab=records");
  await userEvent.click(await screen.findByRole("button", { name: "New record" }));
  const form = await screen.findByRole("dialog");
  await userEvent.click(within(form).getByRole("button", { name: "Create" }));
  const name = within(form).getByLabelText(/Name of the boat/);
  expect(name).toHaveAccessibleDescription("This is required.");
  expect(name).toHaveFocus();
  expect(server.to("POST /api/v1/vault/records")).toHaveLength(0);

  await userEvent.type(name, "Kelp");
  await userEvent.type(within(form).getByLabelText("berths"), "99");
  await userEvent.type(within(form).getByLabelText("port"), "Nowhere");
  await userEvent.click(within(form).getByRole("button", { name: "Create" }));
  await waitFor(() => expect(within(form).getByLabelText("berths")).toHaveFocus());
  expect(within(form).getByLabelText("berths")).toHaveAccessibleDescription("Too many berths.");
  expect(within(form).getByLabelText("port")).toHaveAccessibleDescription("The port is unknown.");

  refuse = false;
  await userEvent.clear(within(form).getByLabelText("port"));
  await userEvent.click(within(form).getByRole("button", { name: "Create" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(await body(server.to("POST /api/v1/vault/records").at(-1))).toEqual({
    collection_id: "col_1",
    data: { name: "Kelp", berths: 99 },
  });
});

test("a change sends what was changed alone, under the version that was read", async () => {
  const server = serve({
    ...base(collection(), { name: "Kelp", berths: 2, rig: "sloop", extra: { kept: true } }),
    "PATCH /api/v1/vault/records/rec_1": () => json(record({}, 2)),
  });
  renderConsole("/vault/records/rec_1");
  await userEvent.click(await screen.findByRole("button", { name: "Edit" }));
  const form = await screen.findByRole("dialog");
  await userEvent.clear(within(form).getByLabelText("berths"));
  await userEvent.type(within(form).getByLabelText("port"), "Kiel");
  await userEvent.click(within(form).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());

  const [request] = server.to("PATCH /api/v1/vault/records/rec_1");
  expect(request?.headers.get("If-Match")).toBe('"1"');
  expect(await body(request)).toEqual({ data: { berths: null, home: { port: "Kiel" } } });
});

test("as JSON, what is no object is refused here, and so is a null that a change can't say", async () => {
  const server = serve({
    ...base(collection({ schema: null }), { a: 1 }),
    "PATCH /api/v1/vault/records/rec_1": () => json(record({}, 2)),
  });
  renderConsole("/vault/records/rec_1");
  await userEvent.click(await screen.findByRole("button", { name: "Edit" }));
  const text = await screen.findByLabelText("Record");
  const write = async (value: string) => {
    await userEvent.clear(text);
    await userEvent.click(text);
    await userEvent.paste(value);
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
  };
  await write("[1]");
  expect(text).toHaveAccessibleDescription(/begins with \{/);
  await write('{"a": null}');
  expect(text).toHaveAccessibleDescription(/can’t make a member null/);
  expect(server.to("PATCH /api/v1/vault/records/rec_1")).toHaveLength(0);

  await write('{"b": [null]}');
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(await body(server.to("PATCH /api/v1/vault/records/rec_1")[0])).toEqual({
    data: { a: null, b: [null] },
  });
});

test("a value that the schema does not foresee is shown as JSON and kept as it is", async () => {
  serve(base(collection(), { name: "Kelp", berths: ["two"], rig: "junk" }));
  renderConsole("/vault/records/rec_1");
  await userEvent.click(await screen.findByRole("button", { name: "Edit" }));

  expect(await screen.findByLabelText("berths")).toHaveValue('[\n  "two"\n]');
  expect(screen.getByLabelText("rig")).toHaveValue('"junk"');
});

test("what is half written as JSON in a field is not sent", async () => {
  const server = serve(base(collection(), { name: "Kelp" }));
  renderConsole("/vault/records/rec_1");
  await userEvent.click(await screen.findByRole("button", { name: "Edit" }));
  const log = await screen.findByLabelText("log");
  await userEvent.click(log);
  await userEvent.paste("[{");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));

  expect(log).toHaveAccessibleDescription(/not JSON yet/);
  expect(screen.getByRole("dialog")).toBeInTheDocument();
  expect(server.to("PATCH /api/v1/vault/records/rec_1")).toHaveLength(0);
});

test("a schema is set from the example, a refused one says why at its field, and an empty one takes it away", async () => {
  let refuse = true;
  const server = serve({
    ...base(collection({ schema: null })),
    "PATCH /api/v1/vault/collections/col_1": () =>
      refuse
        ? problem({ errors: [{ path: "schema", code: "x", detail: "It leads out of itself." }] })
        : json(collection()),
  });
  renderConsole("/vault/collections/col_1?tab=about");
  await userEvent.click(await screen.findByRole("button", { name: "Set a schema" }));
  await userEvent.click(await screen.findByRole("button", { name: "Begin with an example" }));
  const text = screen.getByLabelText("JSON Schema");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(text).toHaveAccessibleDescription(/leads out of itself/));

  refuse = false;
  await userEvent.clear(text);
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  const [first, second] = server.to("PATCH /api/v1/vault/collections/col_1");
  expect(first?.headers.get("If-Match")).toBe('"3"');
  expect(await body(first)).toMatchObject({ schema: { required: ["name"] } });
  expect(await body(second)).toEqual({ schema: null });
});

test("who may only read sees no way to change records, and a failing list says so", async () => {
  serve({
    ...base(collection()),
    "GET /api/v1/identity/me": () => json(me(["vault.read"])),
    "GET /api/v1/vault/records": () => problem({ status: 404, detail: "There is no such thing." }),
  });
  renderConsole("/vault/collections/col_1?tab=records");

  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such thing.");
  expect(screen.queryByRole("button", { name: "New record" })).not.toBeInTheDocument();
});
