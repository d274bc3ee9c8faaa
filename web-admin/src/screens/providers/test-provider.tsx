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
        <Text size="md">{ok ? text : reason}</Text>
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
