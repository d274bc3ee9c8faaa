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
import { At, useNow } from "../../ui/time";
import { ScreenLink } from "../../ui/screen-link";
import { AddGrant } from "./add-grant";
import { Person } from "./people";
import { Subject } from "./subject";

/** A collection, or one document in it. */
export interface GrantedOn {
  collection: string;
  document?: string;
}

const COLUMNS: Column<Grant>[] = [
  { header: "Who", render: (grant) => <Subject grant={grant} /> },
  { header: "May", render: ({ access }) => (access === "write" ? "read and write" : "read") },
  { header: "State", render: (grant) => <InForce grant={grant} /> },
  { header: "From", render: ({ valid_from }) => <At at={valid_from} /> },
  { header: "Until", render: ({ valid_until }) => (valid_until ? <At at={valid_until} /> : "taken away") },
  { header: "Given by", render: ({ created_by }) => <Person id={created_by} /> },
];

export function Grants({ on }: { on: GrantedOn }) {
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Grant | null>(null);
  const { collection, document } = on;
  const list = useList({
    key: ["grants", on],
    filter: document ? aboutDocument(collection, document) : eq("collection_id", collection),
    load: (query, signal) => ask(api.GET("/api/v1/vault/grants", { params: { query }, signal })),
  });
  const columns: Column<Grant>[] = [
    ...COLUMNS,
    { header: "On", render: (grant) => <What grant={grant} on={on} /> },
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
      lead={
        document
          ? "Who may read or change this document, beside its owner and those who manage the whole vault. Grants on its collection count too."
          : "Who may read or change what is in here, beside the owner and those who manage the whole vault."
      }
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

/** Those on the document itself, and those on the whole of its collection. */
function aboutDocument(collection: string, document: string): string {
  return `${eq("document_id", document) ?? ""} or (${all(eq("collection_id", collection), "document_id eq null") ?? ""})`;
}

function What({ grant: { document_id: document }, on }: { grant: Grant; on: GrantedOn }) {
  if (!document) return <>{on.document ? "its whole collection" : "the whole collection"}</>;
  if (document === on.document) return <>this document</>;
  return (
    <ScreenLink to="/vault/documents/$id" params={{ id: document }} search={{ tab: "grants" }} inherit>
      one document
    </ScreenLink>
  );
}

function InForce({ grant: { valid_from, valid_until } }: { grant: Grant }) {
  const now = useNow();
  if (new Date(valid_from).getTime() > now) return <Status tone="idle">not valid yet</Status>;
  if (valid_until && new Date(valid_until).getTime() <= now) return <Status tone="warn">expired</Status>;
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
