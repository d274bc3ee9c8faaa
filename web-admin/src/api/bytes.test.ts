import { expect, test } from "vitest";
import { byteLength, splitMarks } from "./bytes";

const marked = (text: string, ...spans: [number, number][]) =>
  splitMarks(
    text,
    spans.map(([start, end]) => ({ start, end })),
  )
    .map((piece) => (piece.marked ? `<${piece.text}>` : piece.text))
    .join("");

test("offsets count bytes of UTF-8, not units of the browser's strings", () => {
  // ü has two bytes, — has three, 🪢 has four and is two units.
  expect(marked("Grüße — der Knoten", [12, 15])).toBe("Grüße — <der> Knoten");
  expect(marked("🪢 knot", [5, 9])).toBe("🪢 <knot>");
  expect(marked("🪢🪢", [4, 8])).toBe("🪢<🪢>");
});

test("spans that overlap or touch become one, in whatever order they come", () => {
  expect(marked("abcdef", [3, 5], [0, 2], [1, 4])).toBe("<abcde>f");
  expect(marked("abcdef", [0, 2], [2, 4])).toBe("<abcd>ef");
});

test("no text is lost when a span cuts a character, ends too late or is empty", () => {
  expect(marked("aüb", [2, 3])).toBe("a<ü>b");
  expect(marked("abc", [1, 99])).toBe("a<bc>");
  expect(marked("abc", [2, 2], [3, 1])).toBe("abc");
  expect(marked("abc", [-5, 1])).toBe("<a>bc");
  expect(splitMarks("", [{ start: 0, end: 4 }])).toEqual([]);
});

test("a byte order mark stays where it is", () => {
  const pieces = splitMarks("\uFEFFab", [{ start: 3, end: 4 }]);
  expect(pieces.map(({ text }) => text).join("")).toBe("\uFEFFab");
  expect(byteLength("\uFEFFab")).toBe(5);
});
