import { expect, test } from "vitest";
import { duration, relative } from "./time";

const NOW = Date.parse("2026-01-10T12:00:00Z");

test.each([
  ["2026-01-10T11:59:55Z", /now/],
  ["2026-01-10T11:59:30Z", /30 sec/],
  ["2026-01-10T11:55:00Z", /5 min/],
  ["2026-01-09T12:00:00Z", /yesterday/],
  ["2026-01-17T12:00:00Z", /in 7 days/],
])("%s is told by its age", (at, words) => {
  expect(relative(at, NOW)).toMatch(words);
});

test.each([
  [8.4, "8 s"],
  [725, "12 min"],
  [7_260, "2 h 1 min"],
  [273_600, "3 d 4 h"],
])("%d seconds read as %s", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});
