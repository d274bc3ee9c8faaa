import { expect, test } from "vitest";
import { mergePatch, parseObject, patched, withValue, type JsonObject } from "./json";

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
    expect(mergePatch(before, after)).toEqual(patch);
    expect(patched(before, patch ?? {})).toEqual(after);
  }
});

test("a patch keeps what somebody else changed meanwhile", () => {
  const patch = mergePatch({ name: "a", age: 1 }, { name: "b", age: 1 }) ?? {};

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

/** The rows of RFC 7396, appendix A, in which all three are objects: before, patch, after. */
const RFC: [JsonObject, JsonObject, JsonObject][] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test("patches do what RFC 7396 says, and the one between its objects says no more than it must", () => {
  for (const [before, patch, after] of RFC) {
    expect(patched(before, patch)).toEqual(after);
    const own = mergePatch(before, after);
    expect(patched(before, own ?? {})).toEqual(after);
    expect(Object.keys(own ?? {})).toEqual(Object.keys(patch));
  }
});

test("a list is replaced as a whole, with the nulls in it, and a removed object is one null", () => {
  expect(mergePatch({ a: [1, 2] }, { a: [1, null] })).toEqual({ a: [1, null] });
  expect(mergePatch({ a: { b: { c: 1 } }, d: 1 }, { d: 1 })).toEqual({ a: null });
  expect(mergePatch({ a: { b: { c: 1 } } }, { a: { b: {} } })).toEqual({ a: { b: { c: null } } });
});
