/** An answer as its stream has told it so far. */
import type { ServerEvent } from "../../api/sse";
import type { Citation } from "../../api/types";

export interface FoundPassage {
  document: string;
  version: string;
  name: string;
  heading?: string | null;
  text: string;
  start: number;
  end: number;
}

const ENDS = ["done", "stopped", "interrupted", "revoked", "error"] as const;

export interface LiveAnswer {
  /** The answer (`ans_…`); null before the first event. */
  id: string | null;
  /** The last event, to resume after. */
  lastEvent: string | null;
  passages: FoundPassage[] | null;
  /** The way of searching that found them. */
  rung: string | null;
  noEvidence: string | null;
  text: string;
  citations: Citation[];
  end: { kind: (typeof ENDS)[number]; detail: string | null; code: string | null } | null;
}

export const NOTHING_YET: LiveAnswer = {
  id: null,
  lastEvent: null,
  passages: null,
  rung: null,
  noEvidence: null,
  text: "",
  citations: [],
  end: null,
};

interface Data {
  passages?: FoundPassage[];
  rung?: string;
  reason?: string;
  text?: string;
  citations?: Citation[];
  detail?: string;
  code?: string;
}

/** The answer after one more event. An event that was heard already changes nothing; an unknown one only counts. */
export function after(answer: LiveAnswer, event: ServerEvent): LiveAnswer {
  const [id, number] = placeOf(event.id);
  const heard = answer.lastEvent === null ? 0 : placeOf(answer.lastEvent)[1];
  if (id === null || (id === answer.id && number <= heard)) return answer;
  return { ...answer, id, lastEvent: event.id, ...change(answer, event.name, dataOf(event)) };
}

function change(answer: LiveAnswer, name: string, data: Data): Partial<LiveAnswer> {
  switch (name) {
    case "passages":
      return { passages: data.passages ?? [], rung: data.rung ?? null };
    case "no_evidence":
      return { noEvidence: data.reason ?? "nothing_found" };
    case "token":
      return { text: answer.text + (data.text ?? "") };
    case "citations":
      return { citations: data.citations ?? [] };
    default: {
      const kind = ENDS.find((end) => end === name);
      return kind ? { end: { kind, detail: data.detail ?? null, code: data.code ?? null } } : {};
    }
  }
}

/** `ans_…:12` in its two parts. */
function placeOf(id: string): [string | null, number] {
  const match = /^(.+):(\d+)$/.exec(id);
  return match ? [match[1] ?? null, Number(match[2])] : [null, 0];
}

function dataOf({ data }: ServerEvent): Data {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
