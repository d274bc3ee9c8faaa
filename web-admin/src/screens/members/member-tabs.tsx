import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { usePermissions } from "../../session/permissions";

type Tab = "/members" | "/members/invitations";

/** Who is in, and who is asked in. */
export function MemberTabs({ value, children }: { value: Tab; children: ReactNode }) {
  const navigate = useNavigate();
  const can = usePermissions();
  return (
    <Tabs value={value} onChange={(to) => void navigate({ to: to as Tab })}>
      <Tabs.List mb="md">
        <Tabs.Tab value="/members">Members</Tabs.Tab>
        {can("tenancy.invitations.read") && <Tabs.Tab value="/members/invitations">Invitations</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  );
}
