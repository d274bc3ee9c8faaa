import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

type Tab = "/vault" | "/vault/documents";

/** What is kept together, and every document that one may read, wherever it lies. */
export function VaultTabs({ value, children }: { value: Tab; children: ReactNode }) {
  const navigate = useNavigate();
  return (
    <Tabs value={value} onChange={(to) => void navigate({ to: to as Tab })}>
      <Tabs.List mb="md">
        <Tabs.Tab value="/vault">Collections</Tabs.Tab>
        <Tabs.Tab value="/vault/documents">All documents</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  );
}
