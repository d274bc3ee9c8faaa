/** Who is asked for answers, in which order. */
import { Button, Group, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { ModelProvider } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed, usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Status } from "../../ui/status";
import { EnableProvider } from "./enable-provider";
import { MoveProvider } from "./move-provider";
import { CreateProvider, EditProvider } from "./provider-form";
import { TestProvider } from "./test-provider";

const route = getRouteApi("/app/chat/providers");

const COLUMNS: Column<ModelProvider>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ name, base_url }) => (
      <>
        {name}
        <Text size="sm" c="dimmed">
          {base_url}
        </Text>
      </>
    ),
  },
  { header: "Models", render: ({ models }) => models.join(", ") || "–" },
  { header: "Key", render: ({ has_api_key }) => (has_api_key ? "kept" : "none") },
];

const STATE: Column<ModelProvider> = {
  header: "State",
  render: ({ enabled }) => <Status tone={enabled ? "ok" : "idle"}>{enabled ? "enabled" : "disabled"}</Status>,
};

const SWITCH: Column<ModelProvider> = {
  header: "State",
  render: (provider) => <EnableProvider provider={provider} />,
};

interface Asking {
  what: "edit" | "delete";
  provider: ModelProvider;
}

export function ProvidersScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const [creating, setCreating] = useState(false);
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const list = useList({
    key: ["providers"],
    sort: sort ?? "position",
    load: (query, signal) => ask(api.GET("/api/v1/chat/providers", { params: { query }, signal })),
  });
  const order: Column<ModelProvider> = {
    header: "Order",
    render: (provider) => <MoveProvider provider={provider} all={list.rows} />,
  };
  const actions: Column<ModelProvider> = {
    header: "",
    render: (provider) => (
      <Group gap="xs" justify="flex-end">
        <TestProvider provider={provider} />
        <Button size="compact-sm" variant="default" onClick={() => setAsking({ what: "edit", provider })}>
          Edit
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => setAsking({ what: "delete", provider })}>
          Delete
        </Button>
      </Group>
    ),
  };
  const writable = can("chat.providers.write");
  return (
    <Page
      title="Providers"
      lead="Asked in this order until one answers. When none does, an answer is made of the best passages."
      back={{ to: "/chat", label: "Chat" }}
      actions={
        <Allowed to="chat.providers.write">
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            Add a provider
          </Button>
        </Allowed>
      }
    >
      <ListView
        list={list}
        caption="Providers"
        columns={writable ? [...COLUMNS, SWITCH, ...(sort ? [] : [order]), actions] : [...COLUMNS, STATE]}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
        empty="No provider yet. Add one, or let answers be made of passages alone."
      />
      {creating && <CreateProvider onClose={() => setCreating(false)} />}
      {asking?.what === "edit" && (
        <EditProvider provider={asking.provider} onClose={close} onReload={list.reload} />
      )}
      {asking?.what === "delete" && (
        <DeleteProvider provider={asking.provider} onClose={close} onReload={list.reload} />
      )}
    </Page>
  );
}

interface DeleteProps {
  provider: ModelProvider;
  onClose: () => void;
  onReload: () => void;
}

function DeleteProvider({ provider, onClose, onReload }: DeleteProps) {
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/chat/providers/{id}", {
          params: { path: { id: provider.id } },
          headers: { ...headers, ...ifMatch(provider) },
        }),
      ),
    changes: [["providers"]],
    done: "Provider deleted.",
  });
  return (
    <ConfirmDialog
      title={`Delete ${provider.name}?`}
      confirmLabel="Delete"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      It is not asked any more, and its key is forgotten.
    </ConfirmDialog>
  );
}
