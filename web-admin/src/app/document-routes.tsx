/** The screens about documents: the vault, the search and the chat. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchOf } from "../lists/search";
import { app } from "./root-route";

const vault = createRoute({
  getParentRoute: () => app,
  path: "/vault",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/vault/vault-screen"), "VaultScreen"),
});

const documents = createRoute({
  getParentRoute: () => app,
  path: "/vault/documents",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/vault/documents-screen"), "DocumentsScreen"),
});

const collection = createRoute({
  getParentRoute: () => app,
  path: "/vault/collections/$id",
  validateSearch: searchOf("tab", "sort"),
  component: lazyRouteComponent(() => import("../screens/vault/collection-screen"), "CollectionScreen"),
});

const document = createRoute({
  getParentRoute: () => app,
  path: "/vault/documents/$id",
  validateSearch: searchOf("tab", "version", "from", "to"),
  component: lazyRouteComponent(() => import("../screens/vault/document-screen"), "DocumentScreen"),
});

const record = createRoute({
  getParentRoute: () => app,
  path: "/vault/records/$id",
  component: lazyRouteComponent(() => import("../screens/records/record-screen"), "RecordScreen"),
});

const knowledge = createRoute({
  getParentRoute: () => app,
  path: "/knowledge",
  validateSearch: searchOf("query", "collection", "mode"),
  component: lazyRouteComponent(() => import("../screens/knowledge/search-screen"), "SearchScreen"),
});

const reading = createRoute({
  getParentRoute: () => app,
  path: "/knowledge/reading",
  validateSearch: searchOf("state", "sort"),
  component: lazyRouteComponent(() => import("../screens/knowledge/reading-screen"), "ReadingScreen"),
});

const chat = createRoute({
  getParentRoute: () => app,
  path: "/chat",
  component: lazyRouteComponent(() => import("../screens/chat/chat-screen"), "ChatScreen"),
});

const conversation = createRoute({
  getParentRoute: () => app,
  path: "/chat/$id",
  validateSearch: searchOf("leaf"),
  component: lazyRouteComponent(() => import("../screens/chat/conversation-screen"), "ConversationScreen"),
});

const providers = createRoute({
  getParentRoute: () => app,
  path: "/chat/providers",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/providers/providers-screen"), "ProvidersScreen"),
});

export const documentRoutes = [
  vault,
  documents,
  collection,
  document,
  record,
  knowledge,
  reading,
  chat,
  conversation,
  providers,
] as const;
