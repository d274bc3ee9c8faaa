import { Button, Code, Group, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { useList } from "../../lists/use-list";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { SecretDialog } from "../../ui/secret-dialog";
import { Ago } from "../../ui/time";
import { CreateApiKey } from "./create-api-key";

const route = getRouteApi("/app/api-keys");

const COLUMNS: Column<ApiKey>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ name, prefix }) => (
      <>
        {name} <Code>{prefix}…</Code>
      </>
    ),
  },
  {
    header: "May do",
    render: ({ scopes }) =>
      scopes ? <Text size="sm">{scopes.join(", ")}</Text> : <Text c="dimmed">All that its maker may</Text>,
  },
  { header: "Last used", render: ({ last_used_at }) => (last_used_at ? <Ago at={last_used_at} /> : "never") },
  {
    header: "Expires",
    render: ({ expires_at }) => (expires_at ? <Ago at={expires_at} /> : "never"),
  },
  { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function ApiKeysScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const list = useList({
    key: ["api_keys"],
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/identity/api_keys", { params: { query }, signal })),
  });
  const actions: Column<ApiKey> = {
    header: "",
    render: (key) => (
      <Group justify="flex-end">
        <Button size="compact-sm" variant="default" onClick={() => setRevoking(key)}>
          Revoke
        </Button>
      </Group>
    ),
  };
  return (
    <Page
      title="API keys"
      lead="For programs. Each acts in your name, within its scopes, until it expires or is revoked."
      actions={
        <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
          New API key
        </Button>
      }
    >
      <ListView
        list={list}
        caption="API keys"
        columns={[...COLUMNS, actions]}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
        empty="No API keys yet. Make one for each program, so that each can be revoked alone."
      />
      {creating && <CreateApiKey onClose={() => setCreating(false)} onCreated={setSecret} />}
      {revoking && <Revoke apiKey={revoking} onClose={() => setRevoking(null)} />}
      <SecretDialog title="Your new API key" label="API key" secret={secret} onClose={() => setSecret(null)}>
        Send it as <Code>Authorization: Bearer</Code> with each request.
      </SecretDialog>
    </Page>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = useAction({
    run: (_, headers) =>
      ask(api.DELETE("/api/v1/identity/api_keys/{id}", { params: { path: { id: apiKey.id } }, headers })),
    changes: [["api_keys"]],
    done: "API key revoked.",
  });
  return (
    <ConfirmDialog title={`Revoke ${apiKey.name}?`} confirmLabel="Revoke" action={revoke} onClose={onClose}>
      Programs that use it are refused from the next request on.
    </ConfirmDialog>
  );
}
