import { Button, Stack, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Collection } from "../../api/types";
import { useMe } from "../../session/me";
import { usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Facts } from "../../ui/facts";
import { Id } from "../../ui/id";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { Ago } from "../../ui/time";
import { RecordsList } from "../records/records-list";
import { SchemaSection } from "../records/schema-section";
import { EditCollection } from "./collection-form";
import { collectionQuery } from "./collections";
import { DocumentsList } from "./documents-list";
import { Grants } from "./grants";
import { Person } from "./people";
import { Trash } from "./trash";
import { UploadPanel } from "./upload-panel";

const route = getRouteApi("/app/vault/collections/$id");

export function CollectionScreen() {
  const { id } = route.useParams();
  const collection = useQuery(collectionQuery(id));
  const reload = () => void collection.refetch();
  return (
    <Page
      title={collection.data?.name ?? "Collection"}
      lead={collection.data?.description}
      back={{ to: "/vault", label: "Vault" }}
      actions={collection.data && <Actions collection={collection.data} onReload={reload} />}
    >
      <QueryView query={collection}>{(data) => <Body collection={data} onReload={reload} />}</QueryView>
    </Page>
  );
}

/** Whether the caller may change what belongs to this owner, as far as the console can tell. */
export function useOwns(): (thing: { owner_id?: string | null }) => boolean {
  const me = useMe();
  const can = usePermissions();
  return ({ owner_id }) => can("vault.manage") || (!!owner_id && owner_id === me.account?.id);
}

function Body({ collection, onReload }: { collection: Collection; onReload: () => void }) {
  const { tab = "documents", sort } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const owns = useOwns();
  const mayShare = can("vault.share") && owns(collection);
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      onChange={(next) => void navigate({ search: { tab: next ?? undefined }, replace: true })}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="documents">Documents</Tabs.Tab>
        <Tabs.Tab value="records">Records</Tabs.Tab>
        {can("vault.write") && <Tabs.Tab value="trash">Trash</Tabs.Tab>}
        {mayShare && <Tabs.Tab value="grants">Grants</Tabs.Tab>}
        <Tabs.Tab value="about">About</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="documents">
        <Stack>
          {can("vault.write") && <UploadPanel collection={collection.id} />}
          <DocumentsList
            collection={collection.id}
            sort={sort}
            onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
            empty="No documents yet. Drop files above, or choose them."
          />
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="records">
        <RecordsList
          collection={collection}
          sort={sort}
          onSort={(next) => void navigate({ search: { tab, sort: next }, replace: true })}
        />
      </Tabs.Panel>
      <Tabs.Panel value="trash">
        <Trash collection={collection.id} />
      </Tabs.Panel>
      <Tabs.Panel value="grants">{mayShare && <Grants on={{ collection: collection.id }} />}</Tabs.Panel>
      <Tabs.Panel value="about">
        <Stack>
          <About collection={collection} />
          <SchemaSection
            collection={collection}
            mayEdit={can("vault.write") && owns(collection)}
            onReload={onReload}
          />
        </Stack>
      </Tabs.Panel>
    </Tabs>
  );
}

function About({ collection }: { collection: Collection }) {
  return (
    <Section title="About">
      <Facts
        items={{
          Id: <Id id={collection.id} />,
          Owner: <Person id={collection.owner_id} />,
          Searchable: collection.searchable
            ? "Yes: its text is kept in the clear in a private folder of the server."
            : "No: nothing of its documents is ever on the disk in the clear.",
          "Embedding model": collection.searchable && (collection.model ?? "the default"),
          Created: <Ago at={collection.created_at} />,
          Changed: <Ago at={collection.updated_at} />,
        }}
      />
    </Section>
  );
}

function Actions({ collection, onReload }: { collection: Collection; onReload: () => void }) {
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const can = usePermissions();
  const owns = useOwns();
  const close = () => setAsking(null);
  if (!can("vault.write") || !owns(collection)) return null;
  return (
    <>
      <Button variant="default" onClick={() => setAsking("edit")}>
        Edit
      </Button>
      <Button variant="default" onClick={() => setAsking("delete")}>
        Delete
      </Button>
      {asking === "edit" && <EditCollection collection={collection} onClose={close} onReload={onReload} />}
      {asking === "delete" && (
        <DeleteCollection collection={collection} onClose={close} onReload={onReload} />
      )}
    </>
  );
}

interface DeleteProps {
  collection: Collection;
  onClose: () => void;
  onReload: () => void;
}

function DeleteCollection({ collection, onClose, onReload }: DeleteProps) {
  const navigate = useNavigate();
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/vault/collections/{id}", {
          params: { path: { id: collection.id } },
          headers: { ...headers, ...ifMatch(collection) },
        }),
      ),
    changes: [["collections"]],
    done: "Collection deleted.",
    onSuccess: () => void navigate({ to: "/vault" }),
  });
  return (
    <ConfirmDialog
      title={`Delete the collection ${collection.name}?`}
      confirmLabel="Delete the collection"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      It must hold neither documents nor records. What is in its trash goes for good at once.
    </ConfirmDialog>
  );
}
