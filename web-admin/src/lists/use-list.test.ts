import { act, renderHook, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { wrapper } from "../test/render";
import { nextSort, searchOf } from "./search";
import { useList, type ListQuery, type Page } from "./use-list";

const PAGES: Record<string, Page<string>> = {
  first: { items: ["a", "b"], next: "second" },
  second: { items: ["c"], next: null },
};

test("pages follow the cursor until there is none", async () => {
  const load = vi.fn((query: ListQuery) => Promise.resolve(PAGES[query.cursor ?? "first"] as Page<string>));
  const { result } = renderHook(() => useList({ key: ["letters"], load }), { wrapper: wrapper() });
  await waitFor(() => expect(result.current.rows).toEqual(["a", "b"]));
  expect(result.current.more).toBe(true);

  act(() => result.current.loadMore());

  await waitFor(() => expect(result.current.rows).toEqual(["a", "b", "c"]));
  expect(result.current.more).toBe(false);
  expect(load.mock.lastCall?.[0]).toMatchObject({ cursor: "second", limit: 50 });
});

test("another filter or order starts again without a cursor", async () => {
  const load = vi.fn((query: ListQuery) =>
    Promise.resolve({ items: [`${query.filter} ${query.sort}`], next: "x" }),
  );
  const { result, rerender } = renderHook(
    (props: { filter: string; sort: string }) => useList({ key: ["k"], load, ...props }),
    {
      wrapper: wrapper(),
      initialProps: { filter: "one", sort: "name" },
    },
  );
  await waitFor(() => expect(result.current.rows).toEqual(["one name"]));

  rerender({ filter: "two", sort: "-name" });

  await waitFor(() => expect(result.current.rows).toEqual(["two -name"]));
  expect(load.mock.lastCall?.[0].cursor).toBeUndefined();
});

test("a failure is told and can be tried again", async () => {
  const load = vi
    .fn()
    .mockRejectedValueOnce(new Error("lost"))
    .mockResolvedValue({ items: ["a"], next: null });
  const { result } = renderHook(() => useList<string>({ key: ["k"], load }), { wrapper: wrapper() });
  await waitFor(() => expect(result.current.error?.message).toBe("lost"));

  act(() => result.current.reload());

  await waitFor(() => expect(result.current.rows).toEqual(["a"]));
  expect(result.current.error).toBeNull();
});

test("a column sorts up, then down, then not at all", () => {
  expect(nextSort(undefined, "name")).toBe("name");
  expect(nextSort("name", "name")).toBe("-name");
  expect(nextSort("-name", "name")).toBeUndefined();
  expect(nextSort("-created_at", "name")).toBe("name");
});

test("only known search parameters are kept, as text", () => {
  expect(searchOf("state", "sort")({ state: "dead", sort: 7, other: "x" })).toEqual({
    state: "dead",
    sort: "7",
  });
  expect(searchOf("state")({ state: "" })).toEqual({});
});
