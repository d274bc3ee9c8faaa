import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

type Tab = "/routes" | "/routes/pools" | "/routes/try";

/** What is done with requests, where they go, and what would happen to one. */
export function EdgeTabs({ value, children }: { value: Tab; children: ReactNode }) {
  const navigate = useNavigate();
  return (
    <Tabs value={value} onChange={(to) => void navigate({ to: to as Tab })}>
      <Tabs.List mb="md">
        <Tabs.Tab value="/routes">Routes</Tabs.Tab>
        <Tabs.Tab value="/routes/pools">Pools</Tabs.Tab>
        <Tabs.Tab value="/routes/try">Try a request</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  );
}
