import { getRouteApi } from "@tanstack/react-router";
import { Page } from "../../ui/page";
import { DocumentsList } from "./documents-list";
import { VaultTabs } from "./vault-tabs";

const route = getRouteApi("/app/vault/documents");

export function DocumentsScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title="Vault" lead="Every document that you own or that was granted to you.">
      <VaultTabs value="/vault/documents">
        <DocumentsList
          sort={sort}
          onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
          empty="No documents yet. Open a collection to upload some."
        />
      </VaultTabs>
    </Page>
  );
}
