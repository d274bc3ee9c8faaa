import { Anchor, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { VaultDocument } from "../../api/types";
import { useList } from "../../lists/use-list";
import type { Column, Sorting } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { size } from "../../ui/size";
import { Ago } from "../../ui/time";
import { IngestStatus } from "../knowledge/ingest-status";
import { useReading } from "../knowledge/use-reading";
import { Person } from "./people";

interface Props extends Sorting {
  /** Of this collection only. */
  collection?: string;
  empty: ReactNode;
}

/** The documents that the caller may read, with how far each is on its way into the search. */
export function DocumentsList({ collection, empty, ...sorting }: Props) {
  const list = useList({
    key: ["documents", collection],
    filter: eq("collection_id", collection),
    sort: sorting.sort,
    load: (query, signal) => ask(api.GET("/api/v1/vault/documents", { params: { query }, signal })),
  });
  const reading = useReading(collection, list.rows);
  const columns: Column<VaultDocument>[] = [
    {
      header: "Name",
      render: ({ id, name, media_type }) => (
        <>
          <Anchor component={Link} to={`/vault/documents/${id}`} inherit fw={500}>
            {name}
          </Anchor>
          <Text size="sm" c="dimmed">
            {media_type}
          </Text>
        </>
      ),
    },
    {
      header: "Search",
      render: ({ id, searchable }) => {
        const document = reading.get(id);
        if (!searchable) return <Text c="dimmed">not searchable</Text>;
        return document ? <IngestStatus document={document} /> : "–";
      },
    },
    { header: "Size", numeric: true, sort: "size", render: (document) => size(document.size) },
    { header: "Version", numeric: true, render: ({ version_number }) => version_number },
    { header: "Owner", render: ({ owner_id }) => <Person id={owner_id} /> },
    { header: "Changed", sort: "updated_at", render: ({ updated_at }) => <Ago at={updated_at} /> },
  ];
  return (
    <ListView
      list={list}
      caption="Documents"
      columns={columns}
      rowKey={({ id }) => id}
      empty={empty}
      {...sorting}
    />
  );
}
