import { Anchor, Button, Text } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, ask } from "../../api/client";
import type { Collection } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";
import { CreateCollection } from "./collection-form";
import { Person } from "./people";
import { VaultTabs } from "./vault-tabs";

const route = getRouteApi("/app/vault");

const COLUMNS: Column<Collection>[] = [
  {
    header: "Name",
    render: ({ id, name, description }) => (
      <>
        <Anchor component={Link} to={`/vault/collections/${id}`} inherit fw={500}>
          {name}
        </Anchor>
        {description && (
          <Text size="sm" c="dimmed" lineClamp={2}>
            {description}
          </Text>
        )}
      </>
    ),
  },
  { header: "Searchable", render: ({ searchable }) => (searchable ? "yes" : "no, sealed") },
  { header: "Owner", render: ({ owner_id }) => <Person id={owner_id} /> },
  { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function VaultScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, setCreating] = useState(false);
  const list = useList({
    key: ["collections"],
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/vault/collections", { params: { query }, signal })),
  });
  return (
    <Page
      title="Vault"
      lead="Private documents, encrypted before they reach the disk; every access is on record."
      actions={
        <Allowed to="vault.write">
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            New collection
          </Button>
        </Allowed>
      }
    >
      <VaultTabs value="/vault">
        <ListView
          list={list}
          caption="Collections"
          columns={COLUMNS}
          rowKey={({ id }) => id}
          sort={sort}
          onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
          empty="No collections yet. Make one to upload documents into."
        />
      </VaultTabs>
      {creating && (
        <CreateCollection
          onClose={() => setCreating(false)}
          onCreated={({ id }) => void navigate({ to: `/vault/collections/${id}` })}
        />
      )}
    </Page>
  );
}
