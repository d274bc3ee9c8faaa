import { expect, test } from "vitest";
import { splitCitations } from "./citations";

const pieces = (text: string, ...numbers: number[]) =>
  splitCitations(text, new Set(numbers)).map((piece) => ("number" in piece ? piece.number : piece.text));

test("numbers in square brackets become citations, alone or in company", () => {
  expect(pieces("A knot [1]. A bend [2][3].", 1, 2, 3)).toEqual(["A knot ", 1, ". A bend ", 2, 3, "."]);
  expect(pieces("Both [1, 2]", 1, 2)).toEqual(["Both ", 1, 2]);
});

test("a number without a citation stays text", () => {
  expect(pieces("array[0] and [7]", 1)).toEqual(["array[0] and [7]"]);
  expect(pieces("Half [1, 7]", 1)).toEqual(["Half [1, 7]"]);
  expect(pieces("[1", 1)).toEqual(["[1"]);
});

test("no text, no pieces", () => expect(pieces("")).toEqual([]));
