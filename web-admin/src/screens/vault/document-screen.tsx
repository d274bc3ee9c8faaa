import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import type { VaultDocument } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { Notice } from "../../ui/notice";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { useOwns } from "./collection-screen";
import { DocumentAbout } from "./document-about";
import { DocumentActions } from "./document-actions";
import { DocumentTextView } from "./document-text-view";
import { Grants } from "./grants";
import { EarlierPreview, EarlierVersion } from "./earlier-version";
import { Preview } from "./preview";
import { Versions } from "./versions";

const route = getRouteApi("/app/vault/documents/$id");

export function DocumentScreen() {
  const { id } = route.useParams();
  const document = useQuery({
    queryKey: ["document", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/vault/documents/{id}", { params: { path: { id } }, signal })),
  });
  const reload = () => void document.refetch();
  const collection = document.data?.collection_id;
  return (
    <Page
      title={document.data?.name ?? "Document"}
      back={
        collection
          ? { to: `/vault/collections/${collection}`, label: "Collection" }
          : { to: "/vault", label: "Vault" }
      }
      actions={document.data && <DocumentActions document={document.data} onReload={reload} />}
    >
      <QueryView query={document}>{(data) => <Body key={data.id} document={data} />}</QueryView>
    </Page>
  );
}

function Body({ document }: { document: VaultDocument }) {
  const { tab, version, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const owns = useOwns();
  const mayShare = can("vault.share") && owns(document);
  const readable = document.searchable && can("knowledge.read");
  const passage = from !== undefined && to !== undefined ? { from: Number(from), to: Number(to) } : null;
  const earlier = version !== undefined && version !== document.version_id ? version : null;
  return (
    <>
      {document.deleted_at && (
        <Notice tone="warn" title="In the trash">
          Readers don’t see this document any more. It can be restored until it goes for good.
        </Notice>
      )}
      {earlier && <EarlierVersion document={document} version={earlier} />}
      <Tabs
        value={tab ?? (passage && readable ? "text" : "preview")}
        keepMounted={false}
        onChange={(next) =>
          void navigate({ search: (before) => ({ ...before, tab: next ?? undefined }), replace: true })
        }
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="preview">Preview</Tabs.Tab>
          {readable && <Tabs.Tab value="text">Text</Tabs.Tab>}
          <Tabs.Tab value="versions">Versions</Tabs.Tab>
          {mayShare && <Tabs.Tab value="grants">Grants</Tabs.Tab>}
          <Tabs.Tab value="about">About</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="preview">
          {earlier ? (
            <EarlierPreview document={document} version={earlier} />
          ) : (
            <Preview document={document} version={{ ...document, id: document.version_id }} />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="text">
          {readable && <DocumentTextView document={document.id} version={version} passage={passage} />}
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <Versions document={document} />
        </Tabs.Panel>
        <Tabs.Panel value="grants">
          {mayShare && <Grants on={{ collection: document.collection_id, document: document.id }} />}
        </Tabs.Panel>
        <Tabs.Panel value="about">
          <DocumentAbout document={document} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
