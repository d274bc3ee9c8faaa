/** The answer that is being written in a conversation: asked for, listened to, stopped. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { NewMessage } from "../../api/types";
import { asking, follow, listening } from "./follow";
import { NOTHING_YET, type LiveAnswer } from "./live-answer";

export interface Running {
  /** The question, while the conversation does not have it yet. */
  question: NewMessage | null;
  answer: LiveAnswer;
}

export function useAnswer(conversation: string) {
  const client = useQueryClient();
  const [running, setRunning] = useState<Running | null>(null);
  const [error, setError] = useState<unknown>(null);
  /** How answers ended that were listened to here: it says more than what is kept of them. */
  const [ended, setEnded] = useState<ReadonlyMap<string, LiveAnswer>>(new Map());
  const abort = useRef<AbortController | null>(null);

  /** Gives false when the question was refused or the answer was lost. */
  const start = useCallback(
    async (question: NewMessage | null, open: Parameters<typeof follow>[0]["open"]): Promise<boolean> => {
      abort.current?.abort(new DOMException("Another answer began.", "AbortError"));
      const { signal } = (abort.current = new AbortController());
      setError(null);
      setRunning({ question, answer: NOTHING_YET });
      const fresh = async (answer: LiveAnswer | null) => {
        await Promise.all([
          client.invalidateQueries({ queryKey: ["messages", conversation] }),
          client.invalidateQueries({ queryKey: ["conversations"] }),
          client.invalidateQueries({ queryKey: ["answer", answer?.id] }),
        ]);
      };
      let taken = true;
      try {
        const answer = await follow({
          open,
          signal,
          onChange: (next) => setRunning({ question, answer: next }),
        });
        setEnded((before) => new Map(before).set(answer.id ?? "", answer));
        await fresh(answer);
      } catch (thrown) {
        if (signal.aborted) return taken;
        taken = false;
        setError(thrown);
        await fresh(null);
      }
      if (!signal.aborted) setRunning(null);
      return taken;
    },
    [client, conversation],
  );

  useEffect(() => () => abort.current?.abort(new DOMException("The screen was left.", "AbortError")), []);

  const send = useCallback(
    (question: NewMessage) => start(question, asking(conversation, question, crypto.randomUUID())),
    [start, conversation],
  );
  const listen = useCallback((answer: string) => void start(null, listening(answer, null)), [start]);
  const stop = useAction({
    run: ({ id }: { id: string }, headers) =>
      ask(api.POST("/api/v1/chat/answers/{id}/stop", { params: { path: { id } }, headers })),
  });
  return { running, ended, error, send, listen, stop };
}
