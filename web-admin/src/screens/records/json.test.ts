import { expect, test } from "vitest";
import { parseObject, patchBetween, patched, withValue, type JsonObject } from "./json";

const PAIRS: [JsonObject, JsonObject, JsonObject | undefined][] = [
  [{ a: 1 }, { a: 1 }, undefined],
  [{ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, undefined],
  [{ a: "b", c: 1 }, { c: 1 }, { a: null }],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1, d: 3 } }, { a: { c: null, d: 3 } }],
  [{ a: ["b"] }, { a: [] }, { a: [] }],
  [{ a: { b: 1 } }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { a: { b: { c: 1 } } }, { a: { b: { c: 1 } } }],
  [{}, { "a.b/c": 0 }, { "a.b/c": 0 }],
];

test("the patch between two objects says the changes alone, and makes the one out of the other", () => {
  for (const [before, after, patch] of PAIRS) {
    expect(patchBetween(before, after)).toEqual(patch);
    expect(patched(before, patch ?? {})).toEqual(after);
  }
});

test("a patch keeps what somebody else changed meanwhile", () => {
  const patch = patchBetween({ name: "a", age: 1 }, { name: "b", age: 1 }) ?? {};

  expect(patched({ name: "a", age: 2, extra: true }, patch)).toEqual({ name: "b", age: 2, extra: true });
});

test("a value goes to its place, and a group that is emptied goes with its last member", () => {
  const begun = withValue({ z: 1 }, ["address", "town"], "Kiel");
  expect(begun).toEqual({ z: 1, address: { town: "Kiel" } });
  expect(withValue(begun, ["address", "town"], undefined)).toEqual({ z: 1 });
  expect(Object.keys(withValue({ a: 1, b: 2 }, ["a"], 3))).toEqual(["a", "b"]);
  expect(withValue({}, ["__proto__"], "x")).toEqual(Object.fromEntries([["__proto__", "x"]]));
});

test("what is no object is told in words", () => {
  expect(parseObject('{"a":1}')).toEqual({ object: { a: 1 } });
  expect(parseObject("[1]")).toMatchObject({ reason: expect.stringContaining("begins with {") as string });
  expect(parseObject("{a}")).toMatchObject({ reason: expect.stringContaining("not JSON yet") as string });
});
