import { Anchor, Button, Group, TextInput } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Conversation } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed, usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import type { Column } from "../../ui/data-table";
import { FormDialog } from "../../ui/form-dialog";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";

const route = getRouteApi("/app/chat");

const COLUMNS: Column<Conversation>[] = [
  {
    header: "Conversation",
    render: ({ id, title }) => (
      <Anchor component={Link} to={`/chat/${id}`} inherit fw={500}>
        {title || "Untitled"}
      </Anchor>
    ),
  },
  { header: "Messages", numeric: true, render: ({ messages }) => messages },
  { header: "Last used", render: ({ updated_at }) => <Ago at={updated_at} /> },
];

interface Asking {
  what: "rename" | "delete";
  conversation: Conversation;
}

export function ChatScreen() {
  const navigate = route.useNavigate();
  const can = usePermissions();
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const list = useList({
    key: ["conversations"],
    sort: "-updated_at",
    load: (query, signal) => ask(api.GET("/api/v1/chat/conversations", { params: { query }, signal })),
  });
  const create = useAction({
    run: (_: undefined, headers) => ask(api.POST("/api/v1/chat/conversations", { body: {}, headers })),
    changes: [["conversations"]],
    onSuccess: ({ id }) => void navigate({ to: `/chat/${id}` }),
  });
  const actions: Column<Conversation> = {
    header: "",
    render: (conversation) => (
      <Group gap="xs" justify="flex-end">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setAsking({ what: "rename", conversation })}
        >
          Rename
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setAsking({ what: "delete", conversation })}
        >
          Delete
        </Button>
      </Group>
    ),
  };
  return (
    <Page
      title="Chat"
      lead="Questions about your documents, answered with the passages that the answer rests on."
      actions={
        <>
          <Allowed to="chat.providers.read">
            <Button component={Link} to="/chat/providers" variant="default">
              Providers
            </Button>
          </Allowed>
          <Allowed to="chat.write">
            <Button
              leftSection={<Plus size={16} aria-hidden />}
              loading={create.isPending}
              onClick={() => create.mutate(undefined)}
            >
              New conversation
            </Button>
          </Allowed>
        </>
      }
    >
      <ListView
        list={list}
        caption="Conversations"
        columns={can("chat.write") ? [...COLUMNS, actions] : COLUMNS}
        rowKey={({ id }) => id}
        empty="No conversations yet. Begin one and ask."
      />
      {asking?.what === "rename" && (
        <RenameConversation conversation={asking.conversation} onClose={close} onReload={list.reload} />
      )}
      {asking?.what === "delete" && (
        <DeleteConversation conversation={asking.conversation} onClose={close} onReload={list.reload} />
      )}
    </Page>
  );
}

interface DialogProps {
  conversation: Conversation;
  onClose: () => void;
  onReload: () => void;
}

export function RenameConversation({ conversation, onClose, onReload }: DialogProps) {
  const [title, setTitle] = useState(conversation.title);
  const rename = useAction({
    run: (body: { title: string }, headers) =>
      ask(
        api.PATCH("/api/v1/chat/conversations/{id}", {
          params: { path: { id: conversation.id } },
          body,
          headers: { ...headers, ...ifMatch(conversation) },
        }),
      ),
    changes: [["conversations"]],
    done: "Conversation renamed.",
    onSuccess: onClose,
  });
  return (
    <FormDialog
      opened
      title="Rename the conversation"
      onClose={onClose}
      onSubmit={() => rename.mutate({ title: title.trim() })}
      submitLabel="Rename"
      pending={rename.isPending}
      error={rename.error}
      onReload={onReload}
      disabled={title.trim() === conversation.title}
    >
      <TextInput
        label="Title"
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        data-autofocus
      />
    </FormDialog>
  );
}

function DeleteConversation({ conversation, onClose, onReload }: DialogProps) {
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/chat/conversations/{id}", {
          params: { path: { id: conversation.id } },
          headers: { ...headers, ...ifMatch(conversation) },
        }),
      ),
    changes: [["conversations"]],
    done: "Conversation deleted.",
  });
  return (
    <ConfirmDialog
      title="Delete this conversation?"
      confirmLabel="Delete"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      {conversation.title || "Untitled"}: its questions and answers go for good, in all their branches.
    </ConfirmDialog>
  );
}
