import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Role } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { DeleteEntry } from "../../ui/delete-entry";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { RoleForm, type RoleValues } from "./role-form";

const route = getRouteApi("/app/roles/$id");

export function RoleScreen() {
  const { id } = route.useParams();
  const can = usePermissions();
  const role = useQuery({
    queryKey: ["role", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/tenancy/roles/{id}", { params: { path: { id } }, signal })),
  });
  const reload = () => void role.refetch();
  const writable = (data: Role) => can("tenancy.roles.write") && !data.built_in;
  return (
    <Page
      title={role.data?.name ?? "Role"}
      lead={role.data?.built_in && "Built in: it can be given, not changed."}
      back={{ to: "/roles", label: "Roles" }}
      actions={role.data && writable(role.data) && <DeleteRole role={role.data} onReload={reload} />}
    >
      <QueryView query={role}>
        {(data) => <EditRole key={data.version} role={data} readOnly={!writable(data)} onReload={reload} />}
      </QueryView>
    </Page>
  );
}

function EditRole({ role, readOnly, onReload }: { role: Role; readOnly: boolean; onReload: () => void }) {
  const save = useAction({
    run: (body: RoleValues, headers) =>
      ask(
        api.PATCH("/api/v1/tenancy/roles/{id}", {
          params: { path: { id: role.id } },
          body,
          headers: { ...headers, ...ifMatch(role) },
        }),
      ),
    changes: [["roles"], ["role", role.id], ["me"]],
    done: "Role saved.",
  });
  return (
    <RoleForm
      role={role}
      submitLabel="Save"
      onSubmit={(values) => save.mutate(values)}
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
      readOnly={readOnly}
    />
  );
}

function DeleteRole({ role, onReload }: { role: Role; onReload: () => void }) {
  return (
    <DeleteEntry
      title={`Delete the role ${role.name}?`}
      confirmLabel="Delete the role"
      run={(headers) =>
        ask(
          api.DELETE("/api/v1/tenancy/roles/{id}", {
            params: { path: { id: role.id } },
            headers: { ...headers, ...ifMatch(role) },
          }),
        )
      }
      changes={[["roles"]]}
      done="Role deleted."
      leadsTo="/roles"
      onReload={onReload}
    >
      A role that members still hold is not deleted; give them another one first.
    </DeleteEntry>
  );
}
