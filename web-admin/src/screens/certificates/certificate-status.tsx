import type { Certificate } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

const TONE: Record<Certificate["status"], Tone> = {
  pending: "idle",
  ordering: "busy",
  authorizing: "busy",
  validating: "busy",
  finalizing: "busy",
  downloading: "busy",
  issued: "ok",
  renewing: "ok",
  failed: "bad",
};

/** Nothing is under way. */
export function isAtRest({ status }: Certificate): boolean {
  return status === "issued" || status === "failed";
}

export function CertificateStatus({ status }: { status: Certificate["status"] }) {
  return <Status tone={TONE[status]}>{status}</Status>;
}
