/** Who else may read or change a collection or a document. */
import { Button, Group } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { all, eq } from "../../api/filter";
import type { Grant } from "../../api/types";
import { useList } from "../../lists/use-list";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Section } from "../../ui/section";
import { Status } from "../../ui/status";
import { At } from "../../ui/time";
import { AddGrant } from "./add-grant";
import { Subject } from "./subject";

export type GrantedOn = { collection_id: string } | { document_id: string };

const COLUMNS: Column<Grant>[] = [
  { header: "Who", render: (grant) => <Subject grant={grant} /> },
  { header: "May", render: ({ access }) => (access === "write" ? "read and write" : "read") },
  { header: "Now", render: (grant) => <InForce grant={grant} /> },
  { header: "From", render: ({ valid_from }) => <At at={valid_from} /> },
  { header: "Until", render: ({ valid_until }) => (valid_until ? <At at={valid_until} /> : "taken away") },
];

export function Grants({ on }: { on: GrantedOn }) {
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Grant | null>(null);
  const ofCollection = "collection_id" in on;
  const list = useList({
    key: ["grants", on],
    filter: ofCollection
      ? all(eq("collection_id", on.collection_id))
      : all(eq("document_id", on.document_id)),
    load: (query, signal) => ask(api.GET("/api/v1/vault/grants", { params: { query }, signal })),
  });
  const columns: Column<Grant>[] = [
    ...COLUMNS,
    ...(ofCollection ? [{ header: "On", render: onWhat }] : []),
    {
      header: "",
      render: (grant) => (
        <Group justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={() => setRemoving(grant)}>
            Take away
          </Button>
        </Group>
      ),
    },
  ];
  return (
    <Section
      title="Grants"
      lead="Beside the owner, and those who may manage the whole vault."
      actions={
        <Button
          variant="default"
          size="xs"
          leftSection={<Plus size={14} aria-hidden />}
          onClick={() => setAdding(true)}
        >
          Grant access
        </Button>
      }
    >
      <ListView
        list={list}
        caption="Grants"
        columns={columns}
        rowKey={({ id }) => id}
        empty="Nobody else was given access."
      />
      {adding && <AddGrant on={on} onClose={() => setAdding(false)} />}
      {removing && <RemoveGrant grant={removing} onClose={() => setRemoving(null)} />}
    </Section>
  );
}

function onWhat({ document_id }: Grant) {
  return document_id ? "one document" : "the collection";
}

function InForce({ grant: { valid_from, valid_until } }: { grant: Grant }) {
  const now = new Date();
  if (new Date(valid_from) > now) return <Status tone="idle">not yet</Status>;
  if (valid_until && new Date(valid_until) <= now) return <Status tone="idle">ended</Status>;
  return <Status tone="ok">in force</Status>;
}

function RemoveGrant({ grant, onClose }: { grant: Grant; onClose: () => void }) {
  const remove = useAction({
    run: (_, headers) =>
      ask(api.DELETE("/api/v1/vault/grants/{id}", { params: { path: { id: grant.id } }, headers })),
    changes: [["grants"]],
    done: "Grant taken away.",
  });
  return (
    <ConfirmDialog title="Take this grant away?" confirmLabel="Take away" action={remove} onClose={onClose}>
      Who read by it stops at the next request; a download and a chat answer under way stop too.
    </ConfirmDialog>
  );
}
