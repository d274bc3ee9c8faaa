import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { Page } from "../../ui/page";
import { RoleForm, type RoleValues } from "./role-form";

export function NewRoleScreen() {
  const navigate = useNavigate();
  const create = useAction({
    run: ({ description, ...role }: RoleValues, headers) =>
      ask(
        api.POST("/api/v1/tenancy/roles", {
          body: { ...role, description: description || undefined },
          headers,
        }),
      ),
    changes: [["roles"]],
    done: "Role created.",
    onSuccess: () => void navigate({ to: "/roles" }),
  });
  return (
    <Page title="New role" back={{ to: "/roles", label: "Roles" }}>
      <RoleForm
        submitLabel="Create the role"
        onSubmit={(values) => create.mutate(values)}
        pending={create.isPending}
        error={create.error}
      />
    </Page>
  );
}
