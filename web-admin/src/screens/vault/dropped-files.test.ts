import { expect, test } from "vitest";
import { filesOf } from "./dropped-files";

const fileEntry = (name: string) => ({
  isDirectory: false,
  file: (done: (file: File) => void) => done(new File(["x"], name)),
});

/** A folder that gives its entries one by one, as browsers give them by the hundred. */
const folder = (...entries: unknown[]): unknown => ({
  isDirectory: true,
  createReader: () => {
    const left = [...entries];
    return { readEntries: (done: (portion: unknown[]) => void) => done(left.splice(0, 1)) };
  },
});

const item = (entry: unknown, name = "") => ({
  kind: "file",
  webkitGetAsEntry: () => entry,
  getAsFile: () => (name ? new File(["x"], name) : null),
});

const names = async (transfer: object) => (await filesOf(transfer as DataTransfer)).map(({ name }) => name);

test("a dropped folder gives all files in it, however deep", async () => {
  const tree = folder(fileEntry("a"), folder(), folder(fileEntry("b"), folder(fileEntry("c"))));

  expect(await names({ items: [item(tree), item(null, "d")], files: [] })).toEqual(["a", "b", "c", "d"]);
});

test("without entries the files are taken as they are; a dropped text is no file", async () => {
  expect(await names({ items: [], files: [new File(["x"], "a")] })).toEqual(["a"]);
  expect(await names({ items: [{ kind: "string" }], files: [] })).toEqual([]);
});
