import { ActionIcon, Group, Text } from "@mantine/core";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { problemOf } from "../../api/problem";
import type { ModelProvider } from "../../api/types";

/** Tries a provider before or after its neighbour: the two change places. */
export function MoveProvider({ provider, all }: { provider: ModelProvider; all: ModelProvider[] }) {
  const at = all.findIndex(({ id }) => id === provider.id);
  const move = useAction({
    run: async ({ other }: { other: ModelProvider }, headers) => {
      const key = headers["Idempotency-Key"];
      await place(provider, other.position, `${key}-1`);
      await place(other, provider.position, `${key}-2`);
    },
    changes: [["providers"]],
  });
  const step = (other: ModelProvider | undefined, label: string, Icon: typeof ArrowUp) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={`${label} ${provider.name}`}
      disabled={other === undefined || move.isPending}
      onClick={() => other && move.mutate({ other })}
    >
      <Icon size={15} aria-hidden />
    </ActionIcon>
  );
  return (
    <>
      <Group gap={2} wrap="nowrap">
        {step(all[at - 1], "Move up", ArrowUp)}
        {step(all[at + 1], "Move down", ArrowDown)}
      </Group>
      {move.error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {problemOf(move.error).detail}
        </Text>
      )}
    </>
  );
}

function place(provider: ModelProvider, position: number, key: string) {
  return ask(
    api.PATCH("/api/v1/chat/providers/{id}", {
      params: { path: { id: provider.id } },
      body: { position },
      headers: { "Idempotency-Key": key, ...ifMatch(provider) },
    }),
  );
}
