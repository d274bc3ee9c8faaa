import { Anchor, Badge, Button, Text } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { api, ask } from "../../api/client";
import type { Role } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";

const route = getRouteApi("/app/roles");

const COLUMNS: Column<Role>[] = [
  {
    header: "Role",
    sort: "name",
    render: ({ id, name, built_in, description }) => (
      <>
        <Anchor component={Link} to={`/roles/${id}`} inherit fw={500}>
          {name}
        </Anchor>{" "}
        {built_in && (
          <Badge size="sm" variant="default">
            built in
          </Badge>
        )}
        {description && (
          <Text size="sm" c="dimmed">
            {description}
          </Text>
        )}
      </>
    ),
  },
  { header: "Permissions", numeric: true, render: ({ permissions }) => permissions.length },
  { header: "Changed", render: ({ updated_at }) => <Ago at={updated_at} /> },
];

export function RolesScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList({
    key: ["roles"],
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/tenancy/roles", { params: { query }, signal })),
  });
  return (
    <Page
      title="Roles"
      lead="A role is a set of permissions. You can give only what you hold yourself."
      actions={
        <Allowed to="tenancy.roles.write">
          <Button component={Link} to="/roles/new" leftSection={<Plus size={16} aria-hidden />}>
            New role
          </Button>
        </Allowed>
      }
    >
      <ListView
        list={list}
        caption="Roles"
        columns={COLUMNS}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
        empty="No roles yet."
      />
    </Page>
  );
}
