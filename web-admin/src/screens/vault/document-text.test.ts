import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { splitMarks } from "../../api/bytes";
import { json, problem, serve } from "../../test/server";
import { passageQuery, portionsQuery } from "./document-text";

/** Answers as the server does: by bytes, and not within a character. */
function serveText(text: string) {
  const bytes = new TextEncoder().encode(text);
  const strict = new TextDecoder("utf-8", { fatal: true });
  return serve({
    "GET /api/v1/knowledge/documents/doc_1/text": (request) => {
      const query = new URL(request.url).searchParams;
      const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
      if (to > bytes.length) return problem({ status: 400 });
      try {
        const part = strict.decode(bytes.slice(from, to));
        const place = { document: "doc_1", document_version: "ver_1", total: bytes.length };
        return json({ ...place, start: from, end: to, text: part });
      } catch {
        return problem({ status: 400 });
      }
    },
  });
}

const client = () => new QueryClient({ defaultOptions: { queries: { retry: false } } });

test("a passage comes with what stands around it, whatever characters the borders cut", async () => {
  for (const lead of ["", "a", "ab", "abc"]) {
    const [before, passage, after] = [lead + "🪢".repeat(900), "the knöt", "ü".repeat(2_000) + "x"];
    serveText(before + passage + after);
    const from = new TextEncoder().encode(before).length;
    const place = { document: "doc_1", from, to: from + 9 };
    const found = await client().query(passageQuery(place));

    const pieces = splitMarks(found.text, [found.mark]);
    expect(pieces.filter(({ marked }) => marked).map(({ text }) => text)).toEqual([passage]);
    expect(found.text).not.toContain("\uFFFD");
    expect(found.text.length).toBeGreaterThan(passage.length + 1_000);
  }
});

test("a passage that is the whole text has nothing around it", async () => {
  serveText("all of it");
  const found = await client().query(passageQuery({ document: "doc_1", from: 0, to: 9 }));
  expect(found).toMatchObject({ text: "all of it", mark: { start: 0, end: 9 } });
});

test("a long text comes in portions that lose and repeat nothing", async () => {
  const text = "x" + "🪢".repeat(40_000);
  serveText(text);
  const query = portionsQuery("doc_1", undefined);
  const { pages } = await client().infiniteQuery({ ...query, pages: 5 });
  expect(pages).toHaveLength(3);
  expect(pages.map((page) => page.text).join("")).toBe(text);
});
