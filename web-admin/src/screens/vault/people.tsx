/** Accounts by their names, for those who may see the members. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { useMe } from "../../session/me";
import { usePermissions } from "../../session/permissions";
import { Id } from "../../ui/id";

export function useMembers() {
  const can = usePermissions();
  return useQuery({
    queryKey: ["members", "choices"],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/tenancy/members", { params: { query: { limit: 200 } }, signal })),
    enabled: can("tenancy.members.read"),
    staleTime: 60_000,
  });
}

export function useRoles() {
  const can = usePermissions();
  return useQuery({
    queryKey: ["roles", "choices"],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/tenancy/roles", { params: { query: { limit: 200 } }, signal })),
    enabled: can("tenancy.roles.read"),
    staleTime: 60_000,
  });
}

/** Whose something is. */
export function Person({ id }: { id: string | null | undefined }) {
  const me = useMe();
  const members = useMembers();
  if (!id) return <>Holdfast</>;
  if (id === me.account?.id) return <>you</>;
  const member = members.data?.items.find(({ account_id }) => account_id === id);
  return member ? <>{member.display_name || member.email}</> : <Id id={id} />;
}
