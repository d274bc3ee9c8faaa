/** How far documents are on their way into the search: asked again every two seconds while something is on its way. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { KnowledgeDocument, VaultDocument } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { inProgress } from "./ingest-status";

export const POLL_MS = 2_000;
/** One page of the list; those that were uploaded before them are ready long since. */
const LATEST = 200;

/** How long a version may take until the search knows of it at all. */
const HEARD_OF_MS = 60_000;

/** The latest documents of a collection (or of all) by id, `shown` among them; empty for those who may not see it. */
export function useReading(
  collection: string | undefined,
  shown: VaultDocument[],
): Map<string, KnowledgeDocument> {
  const can = usePermissions();
  const query = useQuery({
    queryKey: ["reading", "latest", collection],
    queryFn: ({ signal }) =>
      ask(
        api.GET("/api/v1/knowledge/documents", {
          params: { query: { limit: LATEST, filter: eq("collection", collection) } },
          signal,
        }),
      ),
    enabled: can("knowledge.read"),
    refetchInterval: ({ state }) =>
      state.data && (inProgress(state.data.items) || unheardOf(shown, state.data.items)) ? POLL_MS : false,
    select: ({ items }) => new Map(items.map((item) => [item.document, item])),
  });
  return query.data ?? EMPTY;
}

/** Whether one of the documents has a version so new that the search has not heard of it. */
function unheardOf(shown: VaultDocument[], known: KnowledgeDocument[]): boolean {
  const versions = new Set(known.map(({ document_version }) => document_version));
  const since = Date.now() - HEARD_OF_MS;
  return shown.some(
    ({ searchable, version_id, updated_at }) =>
      searchable && !versions.has(version_id) && new Date(updated_at).getTime() > since,
  );
}

/** One document's way; none while unknown. */
export function useReadingOf(id: string, searchable: boolean) {
  const can = usePermissions();
  return useQuery({
    queryKey: ["reading", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/knowledge/documents/{id}", { params: { path: { id } }, signal })),
    enabled: searchable && can("knowledge.read"),
    refetchInterval: ({ state }) => (state.data && inProgress([state.data]) ? POLL_MS : false),
  });
}

const EMPTY = new Map<string, KnowledgeDocument>();
