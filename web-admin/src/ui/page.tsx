/** A screen: its title, which names the browser tab too, its actions, and its content. */
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "@tanstack/react-router";

interface Props {
  title: string;
  /** One sentence about what is seen here. */
  lead?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; tab?: string; label: string };
  children: ReactNode;
}

export function Page({ title, lead, actions, back, children }: Props) {
  useDocumentTitle(`${title} · Holdfast`);
  return (
    <Stack gap="md">
      {back && (
        <Anchor
          component={Link}
          to={back.to}
          // Which screen it is, and so which parameters it takes, is known to the caller only.
          search={back.tab ? ({ tab: back.tab } as never) : undefined}
          size="sm"
        >
          <Group component="span" gap={4}>
            <ArrowLeft size={14} aria-hidden /> {back.label}
          </Group>
        </Anchor>
      )}
      <Group justify="space-between" align="flex-start" gap="sm">
        <div>
          <Title order={1} tabIndex={-1} style={{ outline: "none" }}>
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" size="md">
              {lead}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
