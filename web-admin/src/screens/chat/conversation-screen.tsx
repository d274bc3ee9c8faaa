/** One conversation: a branch of its messages, the answer that is being written, and the next question. */
import { Button, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { usePermissions } from "../../session/permissions";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { PassageDrawer, type OpenPassage } from "../vault/passage-drawer";
import { RenameConversation } from "./chat-screen";
import { conversationQuery, messagesQuery } from "./queries";
import { Thread } from "./thread";

const route = getRouteApi("/app/chat/$id");

export function ConversationScreen() {
  const { id } = route.useParams();
  const { leaf } = route.useSearch();
  const can = usePermissions();
  const [renaming, setRenaming] = useState(false);
  const [opened, setOpened] = useState<OpenPassage | null>(null);
  const conversation = useQuery(conversationQuery(id));
  const messages = useQuery({
    ...messagesQuery(id, leaf),
    // The branch that is left stays until the other is there.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
  const title = conversation.data ? conversation.data.title || "Untitled" : "Conversation";
  return (
    <Page
      title={title}
      back={{ to: "/chat", label: "Chat" }}
      actions={
        conversation.data &&
        can("chat.write") && (
          <Button variant="default" onClick={() => setRenaming(true)}>
            Rename
          </Button>
        )
      }
    >
      <QueryView query={messages}>
        {({ items, next }) => (
          <Stack>
            <Thread
              key={id}
              conversation={id}
              untitled={conversation.data?.title === "" ? conversation.data : null}
              branch={items}
              earlier={next ?? null}
              onOpen={setOpened}
            />
          </Stack>
        )}
      </QueryView>
      <PassageDrawer passage={opened} onClose={() => setOpened(null)} />
      {renaming && conversation.data && (
        <RenameConversation
          conversation={conversation.data}
          onClose={() => setRenaming(false)}
          onReload={() => void conversation.refetch()}
        />
      )}
    </Page>
  );
}
