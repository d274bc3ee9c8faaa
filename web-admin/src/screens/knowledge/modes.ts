import type { SearchMode, SearchResult } from "../../api/types";

export const MODES: SearchMode[] = ["hybrid", "text", "vector"];

export const MODE_LABEL: Record<SearchMode, string> = {
  hybrid: "Hybrid",
  text: "Text",
  vector: "Vector",
};

/** What each rung of the ladder is, in words. */
export const RUNG_LABEL: Record<SearchResult["rung"]["name"], string> = {
  hybrid: "words and meaning together",
  vector: "meaning",
  text: "words",
  database: "the database’s own word search",
  trigram: "similar spellings",
  prefix: "beginnings of words",
  nothing: "nothing",
};
