import { Button } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Job } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { isSettled } from "./job-status";

interface Props {
  job: Job;
  onReload: () => void;
}

/** Run it again, or stop it. */
export function JobActions({ job, onReload }: Props) {
  const can = usePermissions();
  const [asking, setAsking] = useState<"retry" | "cancel" | null>(null);
  const request = (headers: Record<string, string>) => ({
    params: { path: { id: job.id } },
    headers: { ...headers, ...ifMatch(job) },
  });
  const retry = useAction({
    run: (_, headers) => ask(api.POST("/api/v1/jobs/{id}/retry", request(headers))),
    changes: [["jobs"]],
    done: "The job runs again.",
  });
  const cancel = useAction({
    run: (_, headers) => ask(api.POST("/api/v1/jobs/{id}/cancel", request(headers))),
    changes: [["jobs"]],
    done: "The job is cancelled.",
  });
  if (!can("jobs.write")) return null;
  const shared = { onClose: () => setAsking(null), onReload };
  return (
    <>
      {(job.state === "dead" || job.state === "retrying" || job.state === "cancelled") && (
        <Button variant="default" onClick={() => setAsking("retry")}>
          Run again
        </Button>
      )}
      {!isSettled(job) && (
        <Button variant="default" onClick={() => setAsking("cancel")}>
          Cancel the job
        </Button>
      )}
      {asking === "retry" && (
        <ConfirmDialog
          title="Run this job again?"
          confirmLabel="Run again"
          action={retry}
          danger={false}
          {...shared}
        >
          It starts as soon as its queue has room.
        </ConfirmDialog>
      )}
      {asking === "cancel" && (
        <ConfirmDialog title="Cancel this job?" confirmLabel="Cancel the job" action={cancel} {...shared}>
          A running attempt is told to stop; what it has committed stays.
        </ConfirmDialog>
      )}
    </>
  );
}
