import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";

/** The catalogue of permissions; it changes only with the server's version. */
export const permissionsQuery = queryOptions({
  queryKey: ["permissions"],
  queryFn: ({ signal }) =>
    ask(api.GET("/api/v1/tenancy/permissions", { params: { query: { limit: 200 } }, signal })),
  staleTime: Infinity,
});
