import { Group, Switch, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { problemOf } from "../../api/problem";
import type { ModelProvider } from "../../api/types";

/** Whether a provider is asked at all, changed on the spot. */
export function EnableProvider({ provider }: { provider: ModelProvider }) {
  const save = useAction({
    run: (body: { enabled: boolean }, headers) =>
      ask(
        api.PATCH("/api/v1/chat/providers/{id}", {
          params: { path: { id: provider.id } },
          body,
          headers: { ...headers, ...ifMatch(provider) },
        }),
      ),
    changes: [["providers"]],
  });
  // What was asked for is shown at once, and taken back if it is refused.
  const shown = save.isPending ? save.variables.enabled : provider.enabled;
  return (
    <>
      <Group gap="xs" wrap="nowrap">
        <Switch
          aria-label={`Ask ${provider.name}`}
          checked={shown}
          // Not disabled meanwhile, which would take the focus from whoever turns it by the keyboard.
          aria-busy={save.isPending}
          onChange={({ currentTarget: { checked } }) => save.isPending || save.mutate({ enabled: checked })}
        />
        <Text span inherit>
          {shown ? "enabled" : "disabled"}
        </Text>
      </Group>
      {save.error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {problemOf(save.error).detail}
        </Text>
      )}
    </>
  );
}
