import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ModelProvider, ProviderTest } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";

const provider = (name: string, position: number): ModelProvider => ({
  id: `prv_${name}`,
  name,
  kind: "openai_compatible",
  base_url: "https://models.example/v1",
  has_api_key: true,
  models: ["small"],
  position,
  first_token_timeout_ms: 30_000,
  idle_timeout_ms: 30_000,
  enabled: true,
  created_at: AT,
  updated_at: AT,
  version: position,
});

const base = (permissions = ["chat.read", "chat.providers.read", "chat.providers.write"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/chat/providers": () => json({ items: [provider("Acme", 1), provider("Bolt", 2)], next: null }),
});

test("a provider is switched off on the spot, and a refusal is told", async () => {
  let refuse = false;
  const server = serve({
    ...base(),
    "PATCH /api/v1/chat/providers/prv_Bolt": () =>
      refuse
        ? problem({ status: 412, detail: "It was changed." })
        : json({ ...provider("Bolt", 2), enabled: false }),
  });
  renderConsole("/chat/providers");
  const row = await screen.findByRole("row", { name: /Bolt/ });
  await userEvent.click(within(row).getByRole("switch", { name: "Ask Bolt" }));
  await waitFor(() => expect(server.to("PATCH /api/v1/chat/providers/prv_Bolt")).toHaveLength(1));
  const [sent] = server.to("PATCH /api/v1/chat/providers/prv_Bolt");
  expect(await sent?.json()).toEqual({ enabled: false });
  expect(sent?.headers.get("If-Match")).toBe('"2"');

  refuse = true;
  await waitFor(() => expect(within(row).getByRole("switch")).toHaveAttribute("aria-busy", "false"));
  await userEvent.click(within(row).getByRole("switch", { name: "Ask Bolt" }));
  expect(await within(row).findByRole("alert")).toHaveTextContent("It was changed.");
});

test("two providers change places, and a refused move is told", async () => {
  const server = serve({
    ...base(),
    "PATCH /api/v1/chat/providers/prv_Acme": () => json(provider("Acme", 2)),
    "PATCH /api/v1/chat/providers/prv_Bolt": () => problem({ status: 412, detail: "It was changed." }),
  });
  renderConsole("/chat/providers");
  await userEvent.click(await screen.findByRole("button", { name: "Move down Acme" }));

  expect(await screen.findByRole("alert")).toHaveTextContent("It was changed.");
  expect(await server.to("PATCH /api/v1/chat/providers/prv_Acme")[0]?.json()).toEqual({ position: 2 });
  expect(await server.to("PATCH /api/v1/chat/providers/prv_Bolt")[0]?.json()).toEqual({ position: 1 });
});

test("a test tells in words what went wrong and what to look at", async () => {
  const results: [Partial<ProviderTest>, RegExp, RegExp][] = [
    [{ reason: "401, Incorrect API key" }, /It refused with 401, Incorrect API key\./, /Look at the key/],
    [{ reason: "404" }, /It refused with 404\./, /name of the model/],
    [{ reason: "it answered 503" }, /It answered 503\./, /itself has a fault/],
    [{ reason: "No connection, or it broke off." }, /No connection/, /whether the provider runs/],
    [{ reason: "it said nothing in its time" }, /It said nothing/, /slow or does not run/],
    [{ reason: "something new" }, /Something new\./, /the address, the key and the models/],
    [{ ok: true, text: "ready", first_token_ms: 12 }, /ready/, /after 12 ms/],
  ];
  let at = 0;
  serve({
    ...base(),
    "POST /api/v1/chat/providers/prv_Acme/test": () =>
      json({ ok: false, model: "small", ...results[at]?.[0] }),
  });
  renderConsole("/chat/providers");
  for (const [index, [, told, also]] of results.entries()) {
    at = index;
    await userEvent.click(await screen.findByRole("button", { name: "Test Acme" }));
    const dialog = await screen.findByRole("dialog");
    await waitFor(() => expect(dialog).toHaveTextContent(told));
    expect(dialog).toHaveTextContent(also);
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  }
});

test("a key that is kept is never in the form, and stays unless a new one or none is asked for", async () => {
  const server = serve({
    ...base(),
    "PATCH /api/v1/chat/providers/prv_Acme": () => json(provider("Acme", 1)),
  });
  renderConsole("/chat/providers");
  const edit = async (change: () => Promise<void>) => {
    const [first] = await screen.findAllByText("Edit");
    await userEvent.click(first as HTMLElement);
    expect(await screen.findByLabelText("API key")).toHaveValue("");
    await change();
    await userEvent.click(screen.getByText("Save"));
    await waitFor(() => expect(screen.queryByLabelText("API key")).not.toBeInTheDocument());
  };
  await edit(() => Promise.resolve());
  await edit(() => userEvent.type(screen.getByLabelText("API key"), "sk-new"));
  await edit(() => userEvent.click(screen.getByLabelText("Forget the key")));

  const sent = server.to("PATCH /api/v1/chat/providers/prv_Acme").map((request) => request.json());
  const [untouched, renewed, without] = (await Promise.all(sent)) as Record<string, unknown>[];
  expect(untouched).not.toHaveProperty("api_key");
  expect(untouched).not.toHaveProperty("without_key");
  expect(renewed).toMatchObject({ api_key: "sk-new" });
  expect(without).toMatchObject({ api_key: null });
});

test("who may only see the providers changes nothing", async () => {
  serve(base(["chat.read", "chat.providers.read"]));
  renderConsole("/chat/providers");

  expect(await screen.findByRole("row", { name: /Acme/ })).toHaveTextContent("enabled");
  expect(screen.queryByRole("switch")).not.toBeInTheDocument();
  expect(screen.queryByRole("button", { name: /Test|Edit|Move/ })).not.toBeInTheDocument();
});
