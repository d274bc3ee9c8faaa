import { Button, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { ModelProvider, ProviderTest } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Facts } from "../../ui/facts";
import { Notice } from "../../ui/notice";

/** Asks a provider for a few words, and shows what came of it. */
export function TestProvider({ provider }: { provider: ModelProvider }) {
  const [opened, setOpened] = useState(false);
  const trial = useAction({
    run: (_: undefined, headers) =>
      ask(api.POST("/api/v1/chat/providers/{id}/test", { params: { path: { id: provider.id } }, headers })),
  });
  const start = () => trial.mutate(undefined, { onSettled: () => setOpened(true) });
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={`Test ${provider.name}`}
        loading={trial.isPending}
        onClick={start}
      >
        Test
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`Test of ${provider.name}`}>
        {trial.error ? (
          <ErrorPanel error={trial.error} onRetry={start} />
        ) : (
          trial.data && <Result {...trial.data} />
        )}
      </Modal>
    </>
  );
}

function Result({ ok, model, first_token_ms, text, reason }: ProviderTest) {
  return (
    <Stack>
      <Notice tone={ok ? "ok" : "bad"} title={ok ? "It answered" : "It did not answer"}>
        <Text size="md">{ok ? text || "It began an answer without words." : said(reason)}</Text>
        {!ok && <Text size="md">{advice(reason ?? "")}</Text>}
      </Notice>
      <Facts
        items={{
          Model: model,
          "First token": typeof first_token_ms === "number" ? `after ${first_token_ms} ms` : null,
        }}
      />
    </Stack>
  );
}

/** The reason as a sentence: the server says `401, …` where the provider refused, and `it answered 500` where it failed. */
function said(reason: string | null | undefined): string {
  if (!reason) return "It gave no reason.";
  const words = /^\d{3}/.test(reason) ? `It refused with ${reason}` : reason;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

const ADVICE: [RegExp, string][] = [
  [/^40[13]/, "Look at the key: it may be missing, wrong, or not allowed to use this model."],
  [/^404/, "Look at the address and at the name of the model."],
  [/^4/, "Look at the name of the model, and whether the provider speaks the OpenAI chat format."],
  [/answered 429/, "It is asked too often, or its quota is used up. Try again later."],
  [/answered 5/, "The provider itself has a fault. Try again later."],
  [/not public/, "Ask an operator to allow this address, or choose a public one."],
  [
    /no connection/i,
    "Look at the address, and whether the provider runs and can be reached from this server.",
  ],
  [
    /in time|in its time/,
    "The provider is slow or does not run. A longer time for the first token may help.",
  ],
  [/no JSON|no choices/, "There is something at this address, but it does not speak the OpenAI chat format."],
];

/** What to look at first. */
export function advice(reason: string): string {
  return (
    ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ?? "Look at the address, the key and the models."
  );
}
