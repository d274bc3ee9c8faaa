import { Text } from "@mantine/core";
import type { Grant } from "../../api/types";
import { Id } from "../../ui/id";
import { Person, useRoles } from "./people";

/** Who a grant is for. */
export function Subject({ grant }: { grant: Grant }) {
  const roles = useRoles();
  if (grant.subject === "everyone") return <>Everyone in the tenant</>;
  if (grant.subject === "account") return <Person id={grant.subject_id} exact />;
  const role = roles.data?.items.find(({ id }) => id === grant.subject_id);
  return (
    <>
      {role?.name ?? <Id id={grant.subject_id ?? ""} />}{" "}
      <Text span c="dimmed" size="sm">
        role
      </Text>
    </>
  );
}
