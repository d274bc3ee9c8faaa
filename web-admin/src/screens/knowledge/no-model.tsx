import { List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { Notice } from "../../ui/notice";

export const modelsQuery = {
  queryKey: ["embedding_models"],
  queryFn: ({ signal }: { signal: AbortSignal }) => ask(api.GET("/api/v1/knowledge/models", { signal })),
};

/** Says that meaning can't be searched where no model is at hand, and why. */
export function NoModel() {
  const models = useQuery(modelsQuery);
  if (!models.data || models.data.items.some(({ usable }) => usable)) return null;
  const { items } = models.data;
  return (
    <Notice tone="warn" title="No embedding model is at hand" mt="md">
      <Text size="md">
        Passages are found by their words, not by their meaning, until an operator installs a model.
      </Text>
      {items.length > 0 && (
        <List size="sm" mt={4}>
          {items.map(({ name, reason }) => (
            <List.Item key={name}>{reason ?? name}</List.Item>
          ))}
        </List>
      )}
    </Notice>
  );
}
