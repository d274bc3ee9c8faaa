import { cleanup, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { SearchMode, SearchResult } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const TEXT = "Grüße — the bowline makes a loop.";

const found = (rung: Partial<SearchResult["rung"]>): SearchResult => ({
  rung: { name: "text", coverage: 1, reason: null, ...rung },
  items: [
    {
      passage: "pas_1",
      document: "doc_1",
      document_version: "ver_1",
      collection: "col_1",
      name: "knots.txt",
      title: null,
      heading: "Knots",
      page: 3,
      start: 0,
      end: 36,
      score: 0.9,
      text: TEXT,
      // Bytes: ü and ß have two, — has three.
      highlights: [{ start: 16, end: 23 }],
      parts: [{ ranker: "text", rank: 1, score: 7.5, share: 0.5 }],
    },
  ],
});

const BASE = {
  "GET /api/v1/identity/me": () => json(me(["vault.read", "knowledge.read"])),
  "GET /api/v1/vault/collections": () => json({ items: [] }),
};

test("each way of searching tells its rung, its reason and its coverage, and marks what was matched", async () => {
  const server = serve({
    ...BASE,
    "POST /api/v1/knowledge/search": async (request) => {
      const { mode } = (await request.json()) as { mode: SearchMode };
      if (mode === "vector") return problem({ status: 503, code: "knowledge.busy" });
      return json(found(mode === "text" ? {} : { reason: "The model is not at hand.", coverage: 0.5 }));
    },
  });
  renderConsole("/knowledge?query=loop&mode=hybrid");

  const hybrid = await screen.findByRole("region", { name: "Hybrid results" });
  expect(await within(hybrid).findByText("Rung: text")).toBeInTheDocument();
  expect(hybrid).toHaveTextContent("50 % of the passages");
  expect(hybrid).toHaveTextContent("The model is not at hand.");
  expect(hybrid).toHaveTextContent("Knots · page 3");
  expect(hybrid).toHaveTextContent("text #1, 7.500 (adds 0.500)");
  expect(hybrid.querySelector("mark")).toHaveTextContent(/^bowline$/);
  expect(server.to("POST /api/v1/knowledge/search")).toHaveLength(1);
});

test("what answered instead says why, and a part of the passages is never said to be all", async () => {
  serve({
    ...BASE,
    "POST /api/v1/knowledge/search": () =>
      json(found({ name: "database", reason: "the text index is being built", coverage: 0.9999 })),
  });
  renderConsole("/knowledge?query=loop&mode=vector");

  const vector = await screen.findByRole("region", { name: "Vector results" });
  expect(await within(vector).findByText("Rung: database")).toBeInTheDocument();
  expect(vector).toHaveTextContent("Not by meaning: The text index is being built.");
  expect(vector).toHaveTextContent("99.9 % of the passages; the others are still being indexed.");
});

test("when nothing is found, it says so and what to do", async () => {
  const rung = { name: "nothing", reason: "no word like those asked for is known", coverage: 1 };
  serve({ ...BASE, "POST /api/v1/knowledge/search": () => json({ items: [], rung }) });
  renderConsole("/knowledge?query=zyzzyva&mode=text");

  const text = await screen.findByRole("region", { name: "Text results" });
  expect(await within(text).findByText(/Nothing was found/)).toBeInTheDocument();
  expect(text).toHaveTextContent("No word like those asked for is known.");
  expect(within(text).getByRole("link", { name: "what is still being read" })).toBeInTheDocument();
});

test("without a usable model the lab says that meaning is not searched, and why", async () => {
  let usable = false;
  const models = () => [
    { name: "minilm", dimensions: 384, usable, default: true, reason: "minilm is not installed" },
  ];
  const server = { ...BASE, "GET /api/v1/knowledge/models": () => json({ items: models() }) };
  serve(server);
  renderConsole("/knowledge");
  expect(await screen.findByText("No embedding model is at hand")).toBeInTheDocument();
  expect(screen.getByRole("listitem")).toHaveTextContent("minilm is not installed");

  cleanup();
  usable = true;
  const asked = serve(server);
  renderConsole("/knowledge");
  await waitFor(() => expect(asked.to("GET /api/v1/knowledge/models")).toHaveLength(1));
  expect(await screen.findByRole("searchbox", { name: "Query" })).toBeInTheDocument();
  expect(screen.queryByText("No embedding model is at hand")).not.toBeInTheDocument();
});

test("without the permission there is no entry in the navigation", async () => {
  serve({ ...BASE, "GET /api/v1/identity/me": () => json(me(["vault.read"])) });
  renderConsole("/vault");

  expect(await screen.findByText(/No collections yet/)).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "Search" })).not.toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "New collection" })).not.toBeInTheDocument();
});
