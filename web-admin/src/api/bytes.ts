/** Places in text as the API counts them: bytes of UTF-8, where a string of the browser counts UTF-16 units. */
export interface Span {
  /** The first byte. */
  start: number;
  /** One past the last byte. */
  end: number;
}

export interface Piece {
  text: string;
  marked: boolean;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

export function byteLength(text: string): number {
  return ENCODER.encode(text).length;
}

/** The text in pieces, marked where a span lies. Spans may overlap, end too late, or cut a character; no text is lost. */
export function splitMarks(text: string, spans: Span[]): Piece[] {
  const bytes = ENCODER.encode(text);
  const pieces: Piece[] = [];
  const take = (from: number, to: number, marked: boolean) => {
    if (from < to) pieces.push({ text: DECODER.decode(bytes.subarray(from, to)), marked });
  };
  let at = 0;
  for (const { start, end } of merged(bytes, spans)) {
    take(at, start, false);
    take(start, end, true);
    at = end;
  }
  take(at, bytes.length, false);
  return pieces;
}

/** The spans on the borders of characters, in order, none touching another. */
function merged(bytes: Uint8Array, spans: Span[]): Span[] {
  const whole = spans
    .map(({ start, end }) => ({ start: border(bytes, start, -1), end: border(bytes, end, 1) }))
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
  const result: Span[] = [];
  for (const span of whole) {
    const last = result.at(-1);
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else result.push(span);
  }
  return result;
}

/** The nearest border of a character at or before (-1), or at or after (1), an offset. */
function border(bytes: Uint8Array, offset: number, step: 1 | -1): number {
  let at = Math.min(Math.max(offset, 0), bytes.length);
  while (isContinuation(bytes[at])) at += step;
  return at;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
