/** Who is signed in, asked once and kept while the console is open. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, ask } from "../api/client";
import type { Me } from "../api/types";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => ask(api.GET("/api/v1/identity/me", { signal })),
  staleTime: 60_000,
  meta: { anonymous: true },
});

export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** The name to greet by. */
export function nameOf(me: Me): string {
  return me.account?.display_name || me.account?.email || me.actor.name || me.actor.kind;
}
