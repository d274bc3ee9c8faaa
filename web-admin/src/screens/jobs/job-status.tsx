import type { Job } from "../../api/types";
import { Status, type Tone } from "../../ui/status";

const TONE: Record<Job["state"], Tone> = {
  scheduled: "idle",
  ready: "busy",
  running: "busy",
  retrying: "warn",
  succeeded: "ok",
  dead: "bad",
  cancelled: "idle",
};

export const JOB_STATES = Object.keys(TONE);

/** Over: nothing will happen to it by itself any more. */
export function isSettled({ state }: Job): boolean {
  return state === "succeeded" || state === "dead" || state === "cancelled";
}

export function JobStatus({ state }: { state: Job["state"] }) {
  return <Status tone={TONE[state]}>{state}</Status>;
}
