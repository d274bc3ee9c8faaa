import type { Tenant } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

const TONE: Record<Tenant["state"], Tone> = { active: "ok", suspended: "warn", deleting: "bad" };

export const TENANT_STATES = Object.keys(TONE);

export function TenantStatus({ state }: { state: Tenant["state"] }) {
  return <Status tone={TONE[state]}>{state}</Status>;
}
