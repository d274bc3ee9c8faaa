/** The way around: only what the caller may open. */
import { NavLink, Stack, Text } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import {
  Activity,
  BadgeCheck,
  Building2,
  Code2,
  FolderLock,
  Gauge,
  Globe,
  KeyRound,
  ListChecks,
  MessagesSquare,
  MonitorSmartphone,
  Radio,
  ScrollText,
  Search,
  ShieldCheck,
  Signpost,
  Users,
  type LucideIcon,
} from "lucide-react";
import { usePermissions, type PermissionName } from "../session/permissions";

interface Item {
  to: LinkProps["to"];
  label: string;
  icon: LucideIcon;
  /** Any of these opens it; none means everyone. */
  needs: PermissionName[];
}

const GROUPS: { label: string; items: Item[] }[] = [
  { label: "Overview", items: [{ to: "/", label: "Home", icon: Activity, needs: [] }] },
  {
    label: "Documents",
    items: [
      { to: "/vault", label: "Vault", icon: FolderLock, needs: ["vault.read"] },
      { to: "/knowledge", label: "Search", icon: Search, needs: ["knowledge.read"] },
      { to: "/chat", label: "Chat", icon: MessagesSquare, needs: ["chat.read"] },
    ],
  },
  {
    label: "Organisation",
    items: [
      {
        to: "/tenants",
        label: "Tenants",
        icon: Building2,
        needs: ["tenancy.tenants.read", "tenancy.tenant.read"],
      },
      { to: "/members", label: "Members", icon: Users, needs: ["tenancy.members.read"] },
      { to: "/roles", label: "Roles", icon: ShieldCheck, needs: ["tenancy.roles.read"] },
      { to: "/domains", label: "Domains", icon: Globe, needs: ["tenancy.domains.read"] },
    ],
  },
  {
    label: "Access",
    items: [
      { to: "/api-keys", label: "API keys", icon: KeyRound, needs: [] },
      { to: "/sessions", label: "Sessions", icon: MonitorSmartphone, needs: [] },
    ],
  },
  {
    label: "Operations",
    items: [
      { to: "/audit", label: "Audit", icon: ScrollText, needs: ["audit.read"] },
      { to: "/certificates", label: "Certificates", icon: BadgeCheck, needs: ["edge.certificates.read"] },
      { to: "/routes", label: "Routes", icon: Signpost, needs: ["edge.routes.read"] },
      { to: "/traffic", label: "Traffic", icon: Radio, needs: ["edge.requests.read"] },
      { to: "/limits", label: "Limits", icon: Gauge, needs: ["edge.routes.read"] },
      { to: "/jobs", label: "Jobs", icon: ListChecks, needs: ["jobs.read"] },
      { to: "/api", label: "API", icon: Code2, needs: [] },
    ],
  },
];

export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  const can = usePermissions();
  const groups = GROUPS.map(({ label, items }) => ({
    label,
    items: items.filter(({ needs }) => needs.length === 0 || can(...needs)),
  })).filter(({ items }) => items.length > 0);
  return (
    <Stack component="nav" gap="md" aria-label="Main">
      {groups.map(({ label, items }) => (
        <div key={label}>
          <Text size="xs" c="dimmed" fw={600} px="sm" pb={4}>
            {label}
          </Text>
          {items.map((item) => (
            <NavItem key={item.label} item={item} onNavigate={onNavigate} />
          ))}
        </div>
      ))}
    </Stack>
  );
}

function NavItem({ item, onNavigate }: { item: Item; onNavigate?: () => void }) {
  const Icon = item.icon;
  return (
    <NavLink
      renderRoot={(props) => (
        <Link
          {...props}
          to={item.to}
          activeOptions={{ exact: item.to === "/" }}
          activeProps={{ "data-active": true }}
        />
      )}
      label={item.label}
      leftSection={<Icon size={17} strokeWidth={1.7} aria-hidden />}
      onClick={onNavigate}
      py={7}
      px="sm"
      style={{ borderRadius: "var(--mantine-radius-md)" }}
    />
  );
}
