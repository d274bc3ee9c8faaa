/** Every write of the console: a mutation with an Idempotency-Key, followed by fresh lists and a notice. */
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useRef } from "react";

export type WriteHeaders = Record<"Idempotency-Key", string>;

interface Action<I, O> {
  run: (input: I, headers: WriteHeaders) => Promise<O>;
  /** Query keys whose data the write has changed. */
  changes?: QueryKey[];
  /** Said when it worked. */
  done?: string;
  onSuccess?: (output: O, input: I) => void;
  /** A 401 is an answer to show, not the end of the session. */
  anonymous?: boolean;
}

export function useAction<I = void, O = unknown>({ run, changes, done, onSuccess, anonymous }: Action<I, O>) {
  const client = useQueryClient();
  const key = useIdempotencyKey();
  return useMutation({
    meta: { anonymous },
    mutationFn: (input: I) => run(input, { "Idempotency-Key": key.for(input) }),
    onSuccess: async (output: O, input: I) => {
      key.renew();
      if (done) notifications.show({ message: done, color: "teal" });
      onSuccess?.(output, input);
      await Promise.all((changes ?? []).map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
}

/** One key an intent: trying the same input again after a failure repeats the key, so nothing happens twice. */
export function useIdempotencyKey() {
  const last = useRef<{ input: string; key: string } | null>(null);
  return {
    for(input: unknown): string {
      const text = JSON.stringify([input]);
      if (last.current?.input !== text) last.current = { input: text, key: crypto.randomUUID() };
      return last.current.key;
    },
    renew() {
      last.current = null;
    },
  };
}
