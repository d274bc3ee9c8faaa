/** The text that was taken out of a document, by byte offsets. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { statusOf } from "../../api/problem";
import type { DocumentText } from "../../api/types";

/** Bytes around a passage that are shown with it. */
const CONTEXT = 1_500;
/** A character has at most four bytes, so a border is at most three away. */
const LONGEST_SHIFT = 3;

export interface Place {
  document: string;
  version?: string;
  /** Bytes of the version's text. */
  from: number;
  to: number;
}

export interface Passage extends DocumentText {
  /** The passage within `text`, in bytes. */
  mark: { start: number; end: number };
}

/** A passage with what stands around it. */
export const passageQuery = (place: Place) =>
  queryOptions({
    queryKey: ["passage", place],
    queryFn: async ({ signal }): Promise<Passage> => {
      const passage = await read(place, place.from, place.to, signal);
      const [before, after] = await Promise.all([
        around(place, Math.max(0, place.from - CONTEXT), place.from, "start", signal),
        around(place, place.to, Math.min(passage.total, place.to + CONTEXT), "end", signal),
      ]);
      const start = before?.start ?? passage.start;
      return {
        ...passage,
        start,
        end: after?.end ?? passage.end,
        text: `${before?.text ?? ""}${passage.text}${after?.text ?? ""}`,
        mark: { start: passage.start - start, end: passage.end - start },
      };
    },
    staleTime: 60_000,
  });

/** Bytes that are shown of a text at once. */
const PORTION = 60_000;

/** A document's text in portions, each beginning where the last one ended. */
export const portionsQuery = (document: string, version: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["text", document, version],
    queryFn: async ({ pageParam: from, signal }): Promise<DocumentText> => {
      const place = { document, version, from, to: from };
      const nothing = await read(place, from, from, signal);
      const to = Math.min(nothing.total, from + PORTION);
      return (await around(place, from, to, "end", signal)) ?? nothing;
    },
    initialPageParam: 0,
    getNextPageParam: ({ end, total }) => (end < total ? end : undefined),
    staleTime: 60_000,
  });

/** A part whose one end may lie within a character: moved inwards until it does not. */
async function around(
  place: Place,
  from: number,
  to: number,
  loose: "start" | "end",
  signal: AbortSignal,
): Promise<DocumentText | null> {
  for (let shift = 0; from < to; shift++) {
    const [start, end] = loose === "start" ? [from + shift, to] : [from, to - shift];
    if (start >= end) return null;
    try {
      return await read(place, start, end, signal);
    } catch (error) {
      if (statusOf(error) !== 400 || shift >= LONGEST_SHIFT) throw error;
    }
  }
  return null;
}

function read({ document, version }: Place, from: number, to: number, signal: AbortSignal) {
  return ask(
    api.GET("/api/v1/knowledge/documents/{id}/text", {
      params: { path: { id: document }, query: { version, from, to } },
      signal,
    }),
  );
}
