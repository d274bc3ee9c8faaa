import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

type Tab = "/knowledge" | "/knowledge/reading";

/** What is found, and what is on its way to be found. */
export function KnowledgeTabs({ value, children }: { value: Tab; children: ReactNode }) {
  const navigate = useNavigate();
  return (
    <Tabs value={value} onChange={(to) => void navigate({ to: to as Tab })}>
      <Tabs.List mb="md">
        <Tabs.Tab value="/knowledge">Search</Tabs.Tab>
        <Tabs.Tab value="/knowledge/reading">Reading</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  );
}
