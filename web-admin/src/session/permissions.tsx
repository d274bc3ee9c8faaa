/** What the caller may do, as the server said. The server decides; this only spares useless buttons. */
import type { ReactNode } from "react";
import { useMe } from "./me";

export type PermissionName =
  | `tenancy.${"tenants" | "tenant" | "members" | "roles" | "invitations" | "domains"}.${"read" | "write"}`
  | `identity.${"accounts" | "sessions" | "api_keys" | "signing_keys"}.${"read" | "write"}`
  | `edge.${"certificates" | "routes"}.${"read" | "write"}`
  | "edge.requests.read"
  | "audit.read"
  | "audit.export"
  | "events.read"
  | "jobs.read"
  | "jobs.write"
  | "system.read"
  | `vault.${"read" | "write" | "share" | "manage"}`
  | `knowledge.${"read" | "write"}`
  | `chat.${"read" | "write"}`
  | `chat.providers.${"read" | "write"}`;

export type Can = (...anyOf: PermissionName[]) => boolean;

export function usePermissions(): Can {
  const { permissions } = useMe();
  return (...anyOf) => anyOf.some((permission) => permissions.includes(permission));
}

/** Shows its children to those who hold one of the permissions. */
export function Allowed({ to, children }: { to: PermissionName | PermissionName[]; children: ReactNode }) {
  const can = usePermissions();
  return can(...[to].flat()) ? children : null;
}
