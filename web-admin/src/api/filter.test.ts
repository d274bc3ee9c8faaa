import { expect, test } from "vitest";
import { all, eq, since, until } from "./filter";

test("clauses that have a value are joined, the others left out", () => {
  expect(all(eq("state", "dead"), eq("queue", undefined), eq("kind", ""))).toBe('state eq "dead"');
  expect(all(eq("a", "1"), eq("b", "2"))).toBe('a eq "1" and b eq "2"');
  expect(all()).toBeUndefined();
});

test("quotes inside a value can't end it", () => {
  expect(eq("name", 'x" or name eq "y')).toBe('name eq "x\\" or name eq \\"y"');
});

test("local times become UTC, and what is no time is left out", () => {
  expect(since("at", "2026-01-01T00:00")).toMatch(/^at ge 20\d\d-\d\d-\d\dT\d\d:\d\d:00\.000Z$/);
  expect(until("at", "never")).toBeUndefined();
});
