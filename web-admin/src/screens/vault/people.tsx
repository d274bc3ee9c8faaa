/** Accounts by their names, for those who may see the members. */
import { Text } from "@mantine/core";
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

/** Whose something is, with the e-mail where the name alone may mislead. */
export function Person({ id, exact }: { id: string | null | undefined; exact?: boolean }) {
  const me = useMe();
  const members = useMembers();
  if (!id) return <>Holdfast</>;
  if (id === me.account?.id) return <>you</>;
  const member = members.data?.items.find(({ account_id }) => account_id === id);
  if (!member) return <Id id={id} />;
  const { display_name, email } = member;
  if (!exact || !display_name) return <>{display_name || email}</>;
  return (
    <>
      {display_name}{" "}
      <Text span c="dimmed" size="sm">
        {email}
      </Text>
    </>
  );
}
