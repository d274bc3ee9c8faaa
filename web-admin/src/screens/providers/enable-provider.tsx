import { Switch, Text } from "@mantine/core";
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
      <Switch
        aria-label={`Ask ${provider.name}`}
        label={shown ? "enabled" : "disabled"}
        checked={shown}
        disabled={save.isPending}
        onChange={(event) => save.mutate({ enabled: event.currentTarget.checked })}
      />
      {save.error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {problemOf(save.error).detail}
        </Text>
      )}
    </>
  );
}
