import type { Domain } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

const TONE: Record<Domain["status"], Tone> = {
  pending: "busy",
  verified: "ok",
  failing: "bad",
  lapsed: "warn",
};

export const DOMAIN_STATES = Object.keys(TONE);

/** How a domain stands. One that is held and leads nowhere yet is on its way still. */
export function DomainStatus({ domain: { status, ready } }: { domain: Pick<Domain, "status" | "ready"> }) {
  if (status === "verified" && !ready) return <Status tone="busy">verified, not ready</Status>;
  return <Status tone={TONE[status]}>{status}</Status>;
}
