import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: ["conversations", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/chat/conversations/{id}", { params: { path: { id } }, signal })),
  });

/** One branch, from a message (or the last one) back. */
export const messagesQuery = (conversation: string, leaf: string | undefined) =>
  queryOptions({
    queryKey: ["messages", conversation, leaf],
    queryFn: ({ signal }) =>
      ask(
        api.GET("/api/v1/chat/conversations/{id}/messages", {
          params: { path: { id: conversation }, query: { leaf } },
          signal,
        }),
      ),
  });

/** The branch through a message, on to the newest that follows from it. */
export const throughQuery = (conversation: string, message: string) =>
  queryOptions({
    queryKey: ["messages", conversation, "through", message],
    queryFn: ({ signal }) =>
      ask(
        api.GET("/api/v1/chat/conversations/{id}/messages", {
          params: { path: { id: conversation }, query: { through: message } },
          signal,
        }),
      ),
  });

/** How an answer stands; what has ended stays as it is. */
export const answerQuery = (id: string) =>
  queryOptions({
    queryKey: ["answer", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/chat/answers/{id}", { params: { path: { id } }, signal })),
    staleTime: ({ state }) => (state.data && state.data.state !== "running" ? Infinity : 0),
  });
