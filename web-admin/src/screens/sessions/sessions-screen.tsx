import { Badge, Button, Group, SegmentedControl } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client";
import { eq } from "../../api/filter";
import type { Session } from "../../api/types";
import { useList } from "../../lists/use-list";
import { useMe } from "../../session/me";
import { usePermissions } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";
import { RevokeSession } from "./revoke-session";
import { SignOutOthers } from "./sign-out-others";

const route = getRouteApi("/app/sessions");

const DEVICE: Column<Session> = {
  header: "Device",
  render: ({ device, user_agent, current }) => (
    <>
      <span title={user_agent ?? undefined}>{device || user_agent || "Unknown device"}</span>{" "}
      {current && (
        <Badge size="sm" variant="default">
          this one
        </Badge>
      )}
    </>
  ),
};

const ACCOUNT: Column<Session> = { header: "Account", render: ({ account_email }) => account_email };

const REST: Column<Session>[] = [
  { header: "Address", render: ({ address }) => address || "–" },
  { header: "Kind", render: ({ transport }) => (transport === "cookie" ? "browser" : "program") },
  { header: "Last seen", sort: "last_seen_at", render: ({ last_seen_at }) => <Ago at={last_seen_at} /> },
  { header: "Signed in", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
];

export function SessionsScreen() {
  const { of, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe();
  const can = usePermissions();
  const [revoking, setRevoking] = useState<Session | null>(null);
  const everyone = of === "everyone" && can("identity.sessions.read");
  const list = useList({
    key: ["sessions"],
    filter: everyone ? undefined : eq("account_id", me.account?.id),
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/identity/sessions", { params: { query }, signal })),
  });
  const revocable = (session: Session) =>
    session.account_id === me.account?.id || can("identity.sessions.write");
  const actions: Column<Session> = {
    header: "",
    render: (session) =>
      revocable(session) && (
        <Group justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={() => setRevoking(session)}>
            Revoke
          </Button>
        </Group>
      ),
  };
  return (
    <Page
      title="Sessions"
      lead="Where accounts are signed in. A revoked session ends with its next request."
      actions={<SignOutOthers />}
    >
      {can("identity.sessions.read") && (
        <Group>
          <SegmentedControl
            aria-label="Whose sessions"
            value={everyone ? "everyone" : "mine"}
            onChange={(next) =>
              void navigate({
                search: (before) => ({ ...before, of: next === "everyone" ? next : undefined }),
                replace: true,
              })
            }
            data={[
              { value: "mine", label: "Mine" },
              { value: "everyone", label: "Everyone's" },
            ]}
          />
        </Group>
      )}
      <ListView
        list={list}
        caption="Sessions"
        columns={everyone ? [DEVICE, ACCOUNT, ...REST, actions] : [DEVICE, ...REST, actions]}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={(next) => void navigate({ search: (before) => ({ ...before, sort: next }), replace: true })}
        empty="No sessions."
      />
      {revoking && <RevokeSession session={revoking} onClose={() => setRevoking(null)} />}
    </Page>
  );
}
