import { act, renderHook, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { wrapper } from "../test/render";
import { useAction } from "./action";

function setup(outcomes: ("ok" | "fail")[]) {
  const keys: string[] = [];
  const run = (_: string, headers: Record<"Idempotency-Key", string>) => {
    keys.push(headers["Idempotency-Key"]);
    return outcomes.shift() === "fail" ? Promise.reject(new Error("lost")) : Promise.resolve("done");
  };
  const { result } = renderHook(() => useAction({ run }), { wrapper: wrapper() });
  const send = async (input: string) => {
    await act(async () => {
      await result.current.mutateAsync(input).catch(() => null);
    });
    await waitFor(() => expect(result.current.isPending).toBe(false));
  };
  return { keys, send };
}

test("the same input sent again after a failure repeats its key", async () => {
  const { keys, send } = setup(["fail", "ok"]);

  await send("a");
  await send("a");

  expect(keys[1]).toBe(keys[0]);
});

test("another input, or the same after a success, has a new key", async () => {
  const { keys, send } = setup(["fail", "ok", "ok"]);

  await send("a");
  await send("b");
  await send("b");

  expect(new Set(keys).size).toBe(3);
});
