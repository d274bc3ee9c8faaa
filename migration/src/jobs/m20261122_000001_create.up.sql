-- One row a job. `attempt` numbers the claims: the pair (id, attempt) is what a worker holds, and settling names it.
-- `failures` counts those claims that failed; a claim that was handed back at a shutdown is none.
CREATE TABLE jobs_job (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    kind {text} NOT NULL,
    queue {text} NOT NULL,
    state {text} NOT NULL,
    priority {int} NOT NULL,
    run_at {time} NOT NULL,
    attempt {int} NOT NULL,
    failures {int} NOT NULL,
    max_attempts {int} NOT NULL,
    payload {json} NOT NULL,
    unique_key {text},
    process_id {uuid},
    cancel_requested {bool} NOT NULL,
    progress_done {bigint},
    progress_total {bigint},
    progress_note {text},
    last_error {text},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    finished_at {time},
    version {bigint} NOT NULL
) {strict};

CREATE INDEX jobs_job_tenant ON jobs_job (tenant_id, created_at, id);
-- In the order of claiming.
CREATE INDEX jobs_job_ready ON jobs_job (priority DESC, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_job_due ON jobs_job (run_at) WHERE state IN ('scheduled', 'retrying');
CREATE INDEX jobs_job_running ON jobs_job (process_id) WHERE state = 'running';
CREATE INDEX jobs_job_dead ON jobs_job (tenant_id, queue) WHERE state = 'dead';
CREATE INDEX jobs_job_finished ON jobs_job (finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_job_unique ON jobs_job (tenant_id, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'ready', 'retrying', 'running');

-- One row a living process. The others watch `beat` change by their own monotonic clocks, so no wall clock matters.
CREATE TABLE jobs_process (
    id {uuid} NOT NULL PRIMARY KEY,
    beat {bigint} NOT NULL,
    started_at {time} NOT NULL,
    seen_at {time} NOT NULL
) {strict_rowless};
