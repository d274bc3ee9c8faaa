import { Select, type SelectProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { ErrorPanel } from "../../ui/error-panel";

/** Picks one of the tenant's roles. */
export function RoleSelect(props: SelectProps) {
  const roles = useQuery({
    queryKey: ["roles", "choices"],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/tenancy/roles", { params: { query: { limit: 200 } }, signal })),
  });
  if (roles.error) return <ErrorPanel error={roles.error} onRetry={() => void roles.refetch()} />;
  const data = (roles.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return <Select label="Role" required allowDeselect={false} data={data} {...props} />;
}
