/** A version that is not the newest: said to be so, and shown by its own type and size. */
import { Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { VaultDocument } from "../../api/types";
import { Notice } from "../../ui/notice";
import { QueryView } from "../../ui/query-view";
import { ScreenLink } from "../../ui/screen-link";
import { contentPath } from "./content";
import { Preview } from "./preview";

interface Props {
  document: VaultDocument;
  version: string;
}

/** None when the document has no such version. */
function useVersion({ document, version }: Props) {
  return useQuery({
    queryKey: ["versions", document.id, "one", version],
    queryFn: async ({ signal }) => {
      const { items } = await ask(
        api.GET("/api/v1/vault/documents/{id}/versions", {
          params: { path: { id: document.id }, query: { limit: 1, filter: eq("id", version) } },
          signal,
        }),
      );
      return items[0] ?? null;
    },
  });
}

export function EarlierVersion({ document, version }: Props) {
  const found = useVersion({ document, version });
  const newest = (
    <ScreenLink to="/vault/documents/$id" params={{ id: document.id }} inherit underline="always">
      Show the newest
    </ScreenLink>
  );
  if (found.data === null)
    return (
      <Notice tone="warn" title="No such version">
        <Text size="md">The document does not have this version. {newest}.</Text>
      </Notice>
    );
  return (
    <Notice tone="warn" title={found.data ? `Version ${found.data.number}` : "An earlier version"}>
      <Text size="md">
        This is not the newest version of the document. {newest}, or{" "}
        <Anchor href={contentPath(document.id, version)} download={document.name} inherit underline="always">
          download this one
        </Anchor>
        .
      </Text>
    </Notice>
  );
}

export function EarlierPreview({ document, version }: Props) {
  const found = useVersion({ document, version });
  return (
    <QueryView query={found}>{(data) => data && <Preview document={document} version={data} />}</QueryView>
  );
}
