import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";

/** The collections to choose from. */
export const collectionChoices = queryOptions({
  queryKey: ["collections", "choices"],
  queryFn: ({ signal }) =>
    ask(api.GET("/api/v1/vault/collections", { params: { query: { limit: 200 } }, signal })),
});

export const collectionQuery = (id: string) =>
  queryOptions({
    queryKey: ["collection", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/vault/collections/{id}", { params: { path: { id } }, signal })),
  });
