import { Text } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Member } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import { RoleSelect } from "./role-select";

interface Props {
  member: Member;
  onClose: () => void;
  onReload: () => void;
}

export function ChangeRole({ member, onClose, onReload }: Props) {
  const [role, setRole] = useState(member.role.id);
  const change = useAction({
    run: (body: { role_id: string }, headers) =>
      ask(
        api.PATCH("/api/v1/tenancy/members/{id}", {
          params: { path: { id: member.id } },
          body,
          headers: { ...headers, ...ifMatch(member) },
        }),
      ),
    changes: [["members"], ["me"]],
    done: "Role changed.",
    onSuccess: onClose,
  });
  return (
    <FormDialog
      opened
      title="Change role"
      onClose={onClose}
      onSubmit={() => change.mutate({ role_id: role })}
      submitLabel="Change"
      pending={change.isPending}
      error={change.error}
      onReload={onReload}
      disabled={role === member.role.id}
    >
      <Text size="md">{member.email} can do what the new role permits from the next request on.</Text>
      <RoleSelect value={role} onChange={(next) => setRole(next ?? role)} data-autofocus />
    </FormDialog>
  );
}
