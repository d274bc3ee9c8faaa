import { Button, Group } from "@mantine/core";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { eq } from "../../api/filter";
import type { VaultDocument } from "../../api/types";
import { useList } from "../../lists/use-list";
import type { Column } from "../../ui/data-table";
import { ErrorPanel } from "../../ui/error-panel";
import { ListView } from "../../ui/list-view";
import { size } from "../../ui/size";
import { Ago } from "../../ui/time";

/** Deleted documents that can still be taken back. */
export function Trash({ collection }: { collection: string }) {
  const list = useList({
    key: ["documents", "trash", collection],
    filter: eq("collection_id", collection),
    load: (query, signal) =>
      ask(api.GET("/api/v1/vault/documents", { params: { query: { ...query, deleted: true } }, signal })),
  });
  const restore = useAction({
    run: (document: VaultDocument, headers) =>
      ask(
        api.POST("/api/v1/vault/documents/{id}/restore", {
          params: { path: { id: document.id } },
          headers: { ...headers, ...ifMatch(document) },
        }),
      ),
    changes: [["documents"], ["reading"]],
    done: "Document restored.",
  });
  const columns: Column<VaultDocument>[] = [
    { header: "Name", render: ({ name }) => name },
    { header: "Size", numeric: true, render: (document) => size(document.size) },
    { header: "Deleted", render: ({ deleted_at }) => <Ago at={deleted_at} /> },
    { header: "Goes for good", render: ({ purge_at }) => <Ago at={purge_at} /> },
    {
      header: "",
      render: (document) => (
        <Group justify="flex-end">
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`Restore ${document.name}`}
            loading={restore.isPending && restore.variables.id === document.id}
            onClick={() => restore.mutate(document)}
          >
            Restore
          </Button>
        </Group>
      ),
    },
  ];
  return (
    <>
      {restore.error && <ErrorPanel error={restore.error} onRetry={list.reload} />}
      <ListView
        list={list}
        caption="Deleted documents"
        columns={columns}
        rowKey={({ id }) => id}
        empty="The trash is empty."
      />
    </>
  );
}
