import type { AuditEntry } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

const TONE: Record<AuditEntry["outcome"], Tone> = { success: "ok", denied: "warn", failure: "bad" };

export const OUTCOMES = Object.keys(TONE);

export function OutcomeStatus({ outcome }: { outcome: AuditEntry["outcome"] }) {
  return <Status tone={TONE[outcome]}>{outcome}</Status>;
}
