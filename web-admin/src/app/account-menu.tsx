import { Avatar, Menu, Text, UnstyledButton } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { LogOut, UserRound } from "lucide-react";
import { useAction } from "../api/action";
import { api, ask } from "../api/client";
import { nameOf, useMe } from "../session/me";

export function AccountMenu() {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const signOut = useAction({
    anonymous: true,
    run: (_, headers) => ask(api.DELETE("/api/v1/identity/sessions/current", { headers })),
    onSuccess: () => void navigate({ to: "/sign-in", search: {} }).then(() => client.clear()),
  });
  const name = nameOf(me);
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${name}`} style={{ borderRadius: "50%" }}>
          <Avatar size={32} color="kelp.8" variant="filled" aria-hidden>
            {name.slice(0, 1).toUpperCase()}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" c="var(--mantine-color-text)" truncate>
            {name}
          </Text>
          {me.roles.join(", ")}
        </Menu.Label>
        <Menu.Item component={Link} to="/account" leftSection={<UserRound size={15} aria-hidden />}>
          Account
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={15} aria-hidden />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
