/** The records of a collection, and the way to a new one. */
import { Button, Code, Group, Stack } from "@mantine/core";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import { valueAt, type JsonObject } from "../../api/json";
import type { Collection, VaultRecord } from "../../api/types";
import { useList } from "../../lists/use-list";
import { usePermissions } from "../../session/permissions";
import type { Column, Sorting } from "../../ui/data-table";
import { Id } from "../../ui/id";
import { ListView } from "../../ui/list-view";
import { ScreenLink } from "../../ui/screen-link";
import { Ago } from "../../ui/time";
import { Person } from "../vault/people";
import { fieldsOf, type Field } from "./fields";
import { RecordEditor } from "./record-editor";
import { Value } from "./value";

/** Fields that get a column of their own. */
const SHOWN = 3;

export function RecordsList({ collection, ...sorting }: { collection: Collection } & Sorting) {
  const [creating, setCreating] = useState(false);
  const can = usePermissions();
  const list = useList({
    key: ["records", collection.id],
    filter: eq("collection_id", collection.id),
    sort: sorting.sort,
    load: (query, signal) => ask(api.GET("/api/v1/vault/records", { params: { query }, signal })),
  });
  const columns = useMemo(() => columnsOf(collection), [collection]);
  return (
    <Stack>
      {can("vault.write") && (
        <Group>
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            New record
          </Button>
        </Group>
      )}
      <ListView
        list={list}
        caption="Records"
        columns={columns}
        rowKey={({ id }) => id}
        empty={
          collection.schema
            ? "No records yet. Each one must fit the collection’s schema."
            : "No records yet. Any JSON object can be one; a schema says which fit."
        }
        {...sorting}
      />
      {creating && <CreateRecord collection={collection} onClose={() => setCreating(false)} />}
    </Stack>
  );
}

function columnsOf({ schema }: Collection): Column<VaultRecord>[] {
  const [first, ...others] = fieldsOf(schema)
    .filter(({ kind }) => kind !== "group" && kind !== "json")
    .slice(0, SHOWN);
  const link: Column<VaultRecord> = {
    header: first?.label ?? "Record",
    render: (record) => (
      <ScreenLink to="/vault/records/$id" params={{ id: record.id }} inherit fw={500}>
        {first ? nameOf(record, first) : <Id id={record.id} />}
      </ScreenLink>
    ),
  };
  const data: Column<VaultRecord> = {
    header: "Data",
    render: (record) => <Code>{shortened(JSON.stringify(record.data))}</Code>,
  };
  return [
    link,
    ...(first ? others.map(column) : [data]),
    { header: "Owner", render: ({ owner_id }) => <Person id={owner_id} /> },
    { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
    { header: "Changed", sort: "updated_at", render: ({ updated_at }) => <Ago at={updated_at} /> },
  ];
}

function column({ label, place }: Field): Column<VaultRecord> {
  return { header: label, render: ({ data }) => <Value value={valueAt(data, place)} short /> };
}

/** What a record is called: its first field, or its id where that says nothing. */
function nameOf(record: VaultRecord, { place }: Field) {
  const value = valueAt(record.data, place);
  return value === undefined || value === "" ? <Id id={record.id} /> : <Value value={value} short />;
}

const LETTERS = 120;

export function shortened(text: string): string {
  return text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
}

function CreateRecord({ collection, onClose }: { collection: Collection; onClose: () => void }) {
  const create = useAction({
    run: (data: JsonObject, headers) =>
      ask(api.POST("/api/v1/vault/records", { body: { collection_id: collection.id, data }, headers })),
    changes: [["records", collection.id]],
    done: "Record created.",
    onSuccess: onClose,
  });
  return (
    <RecordEditor
      title="New record"
      submitLabel="Create"
      schema={collection.schema}
      record={null}
      action={create}
      onClose={onClose}
    />
  );
}
