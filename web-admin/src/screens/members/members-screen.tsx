import { Button, Group, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client";
import type { Member } from "../../api/types";
import { useList } from "../../lists/use-list";
import { useMe } from "../../session/me";
import { usePermissions } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago } from "../../ui/time";
import { ChangeRole } from "./change-role";
import { MemberTabs } from "./member-tabs";
import { RemoveMember } from "./remove-member";

const route = getRouteApi("/app/members");

interface Asking {
  what: "role" | "removal";
  member: Member;
}

export function MembersScreen() {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe();
  const can = usePermissions();
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const list = useList({
    key: ["members"],
    sort,
    load: (query, signal) => ask(api.GET("/api/v1/tenancy/members", { params: { query }, signal })),
  });
  const columns: Column<Member>[] = [
    {
      header: "Member",
      sort: "email",
      render: ({ email, display_name, account_id }) => (
        <>
          {display_name || email}
          {account_id === me.account?.id && (
            <Text span c="dimmed">
              {" "}
              (you)
            </Text>
          )}
          {display_name && (
            <Text size="sm" c="dimmed">
              {email}
            </Text>
          )}
        </>
      ),
    },
    { header: "Role", render: ({ role }) => role.name },
    { header: "Since", sort: "created_at", render: ({ created_at }) => <Ago at={created_at} /> },
  ];
  if (can("tenancy.members.write")) {
    columns.push({
      header: "",
      render: (member) => (
        <Group gap="xs" justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={() => setAsking({ what: "role", member })}>
            Change role
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setAsking({ what: "removal", member })}>
            Remove
          </Button>
        </Group>
      ),
    });
  }
  return (
    <Page title="Members" lead="The people of this tenant and what their role lets them do.">
      <MemberTabs value="/members">
        <ListView
          list={list}
          caption="Members"
          columns={columns}
          rowKey={({ id }) => id}
          sort={sort}
          onSort={(next) => void navigate({ search: { sort: next }, replace: true })}
          empty="No members yet. Invite the first one."
        />
      </MemberTabs>
      {asking?.what === "role" && (
        <ChangeRole member={asking.member} onClose={close} onReload={list.reload} />
      )}
      {asking?.what === "removal" && (
        <RemoveMember member={asking.member} onClose={close} onReload={list.reload} />
      )}
    </Page>
  );
}
