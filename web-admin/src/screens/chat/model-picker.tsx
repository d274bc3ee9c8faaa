import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { ModelProvider, NewMessage } from "../../api/types";
import { usePermissions } from "../../session/permissions";

/** Who is to answer; nothing for the usual order. */
export type ModelChoice = Required<Pick<NewMessage, "provider" | "model">> | null;

const providersQuery = {
  queryKey: ["providers", "choices"],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    ask(
      api.GET("/api/v1/chat/providers", {
        params: { query: { limit: 200, sort: "position", filter: "enabled eq true" } },
        signal,
      }),
    ),
};

interface Props {
  choice: ModelChoice;
  onChoice: (choice: ModelChoice) => void;
}

/** One provider's model for the next questions, for those who may see the providers. */
export function ModelPicker({ choice, onChoice }: Props) {
  const can = usePermissions();
  const providers = useQuery({ ...providersQuery, enabled: can("chat.providers.read") });
  const items = providers.data?.items ?? [];
  if (items.length === 0) return null;
  const values = new Map(items.flatMap((provider) => provider.models.map((model) => entry(provider, model))));
  return (
    <Select
      label="Answered by"
      flex="0 1 240px"
      allowDeselect={false}
      searchable={values.size > 10}
      data={[
        { value: USUAL, label: "The first that answers" },
        ...items.map(({ id, name, models }) => ({
          group: name,
          items: models.map((model) => ({ value: valueOf(id, model), label: model })),
        })),
      ]}
      value={choice ? valueOf(choice.provider ?? "", choice.model ?? "") : USUAL}
      onChange={(next) => onChoice(values.get(next ?? USUAL) ?? null)}
    />
  );
}

const USUAL = "usual";

function entry({ id }: ModelProvider, model: string): [string, ModelChoice] {
  return [valueOf(id, model), { provider: id, model }];
}

function valueOf(provider: string, model: string): string {
  return `${provider} ${model}`;
}
