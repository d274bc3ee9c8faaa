import { expect, test } from "vitest";
import { previewKind } from "./preview-kind";

test("what could run scripts is shown as its source", () => {
  expect(
    ["text/html", "image/svg+xml", "application/xhtml+xml", "TEXT/HTML; charset=utf-8"].map(previewKind),
  ).toEqual(Array(4).fill("text"));
});

test("pictures and PDF are shown, unknown bytes are not", () => {
  expect(previewKind("image/PNG")).toBe("image");
  expect(previewKind("application/pdf; version=1.7")).toBe("pdf");
  expect(["application/octet-stream", "", "image/unknown", "video/mp4"].map(previewKind)).toEqual(
    Array(4).fill("none"),
  );
});
