import { Button, Group } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { CreatedInvitation, Invitation } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed, usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import type { Column } from "../../ui/data-table";
import { InvitationLink } from "../../ui/invitation-link";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import { Status, type Tone } from "../../ui/status";
import { Ago } from "../../ui/time";
import { Invite } from "./invite";
import { MemberTabs } from "./member-tabs";

const route = getRouteApi("/app/members/invitations");

const TONE: Record<Invitation["state"], Tone> = {
  pending: "busy",
  accepted: "ok",
  revoked: "idle",
  expired: "warn",
};

const COLUMNS: Column<Invitation>[] = [
  { header: "E-mail", sort: "email", render: ({ email }) => email },
  { header: "Role", render: ({ role }) => role.name },
  { header: "State", render: ({ state }) => <Status tone={TONE[state]}>{state}</Status> },
  { header: "Expires", sort: "expires_at", render: ({ expires_at }) => <Ago at={expires_at} /> },
  { header: "Created", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function InvitationsScreen() {
  const { state, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const [inviting, setInviting] = useState(false);
  const [created, setCreated] = useState<CreatedInvitation | null>(null);
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const list = useList({
    key: ["invitations"],
    filter: eq("state", state),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/tenancy/invitations", { params: { query }, signal })),
  });
  const show = (patch: { state?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  const actions: Column<Invitation> = {
    header: "",
    render: (invitation) =>
      invitation.state === "pending" && (
        <Group justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={() => setRevoking(invitation)}>
            Revoke
          </Button>
        </Group>
      ),
  };
  return (
    <Page
      title="Members"
      lead="An invitation is bound to its address and works once."
      actions={
        <Allowed to="tenancy.invitations.write">
          <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        </Allowed>
      }
    >
      <MemberTabs value="/members/invitations">
        <Group mb="md">
          <StateFilter
            label="State"
            states={Object.keys(TONE)}
            value={state}
            onChange={(next) => show({ state: next })}
          />
        </Group>
        <ListView
          list={list}
          caption="Invitations"
          columns={can("tenancy.invitations.write") ? [...COLUMNS, actions] : COLUMNS}
          rowKey={({ id }) => id}
          sort={sort}
          onSort={(next) => show({ sort: next })}
          empty="No invitations here."
        />
      </MemberTabs>
      {inviting && <Invite onClose={() => setInviting(false)} onCreated={setCreated} />}
      {revoking && <Revoke invitation={revoking} onClose={() => setRevoking(null)} />}
      <InvitationLink created={created} onClose={() => setCreated(null)} />
    </Page>
  );
}

function Revoke({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const revoke = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/tenancy/invitations/{id}", { params: { path: { id: invitation.id } }, headers }),
      ),
    changes: [["invitations"]],
    done: "Invitation revoked.",
  });
  return (
    <ConfirmDialog title="Revoke this invitation?" confirmLabel="Revoke" action={revoke} onClose={onClose}>
      The link sent to {invitation.email} stops working.
    </ConfirmDialog>
  );
}
