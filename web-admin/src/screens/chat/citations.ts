/** An answer's text in pieces: words, and the numbers in square brackets that name what they rest on. */
export type AnswerPiece = { text: string } | { number: number };

/** Numbers that no citation has stay text: `array[0]` and a made-up `[99]` are no evidence. */
export function splitCitations(text: string, numbers: ReadonlySet<number>): AnswerPiece[] {
  const pieces: AnswerPiece[] = [];
  let at = 0;
  const words = (until: number) => {
    if (at < until) pieces.push({ text: text.slice(at, until) });
  };
  for (const match of text.matchAll(/\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g)) {
    const cited = (match[1] ?? "").split(",").map(Number);
    if (!cited.every((number) => numbers.has(number))) continue;
    words(match.index);
    pieces.push(...cited.map((number) => ({ number })));
    at = match.index + match[0].length;
  }
  words(text.length);
  return pieces;
}
