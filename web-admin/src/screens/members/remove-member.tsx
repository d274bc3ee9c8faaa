import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Member } from "../../api/types";
import { ConfirmDialog } from "../../ui/confirm-dialog";

interface Props {
  member: Member;
  onClose: () => void;
  onReload: () => void;
}

export function RemoveMember({ member, onClose, onReload }: Props) {
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/tenancy/members/{id}", {
          params: { path: { id: member.id } },
          headers: { ...headers, ...ifMatch(member) },
        }),
      ),
    changes: [["members"]],
    done: "Member removed.",
  });
  return (
    <ConfirmDialog
      title="Remove this member?"
      confirmLabel="Remove"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      {member.email} loses access to this tenant at once.
    </ConfirmDialog>
  );
}
