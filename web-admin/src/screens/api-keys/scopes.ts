import type { Permission } from "../../api/types";

/** The caller's own permissions as choices; their names need no catalogue, which not everyone may read. */
export function permissionsOf(names: string[]): Permission[] {
  return [...names].sort().map((name) => ({
    name,
    module: name.split(".")[0] ?? name,
    description: "",
    granted_to: [],
  }));
}
