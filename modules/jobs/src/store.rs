//! All SQL of this module.

use chrono::{DateTime, Utc};
use kernel::{Id, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, SqlErr, Value};
use uuid::Uuid;

use crate::enqueue::{NewJob, first_state};
use crate::error::Error;
use crate::model::{Claimed, Hold, Job, JobId, JobState, ProcessId, Progress, QueueStats};

/// Without a unique key there is nothing to clash with.
const INSERT: &str = "INSERT INTO jobs_job (id, tenant_id, kind, queue, state, priority, run_at, attempt, failures, \
     max_attempts, payload, unique_key, cancel_requested, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9, $10, $11, $12, $12, 1) ON CONFLICT DO NOTHING";
const FIND_LIVE: &str = "SELECT id FROM jobs_job WHERE tenant_id = $1 AND unique_key = $2 \
     AND state IN ('scheduled', 'ready', 'retrying', 'running')";
const FIND: &str = "SELECT id, kind, queue, state, attempt, max_attempts, priority, run_at, progress_done, \
     progress_total, progress_note, last_error, unique_key, created_at, updated_at, finished_at, version \
     FROM jobs_job WHERE tenant_id = $1 AND id = $2";
const CANCEL: &str = "UPDATE jobs_job SET cancel_requested = (state = 'running'), \
     finished_at = CASE WHEN state = 'running' THEN NULL ELSE $3 END, \
     state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END, updated_at = $3, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2 AND state IN ('scheduled', 'ready', 'retrying', 'running')";
const RETRY: &str = "UPDATE jobs_job SET state = 'ready', run_at = $3, failures = 0, finished_at = NULL, \
     updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2";
const FORGET: &str = "DELETE FROM jobs_job WHERE tenant_id = $1";
const PRUNE: &str = "DELETE FROM jobs_job WHERE id IN (SELECT id FROM jobs_job WHERE finished_at < $1 LIMIT 1000)";

const REGISTER: &str = "INSERT INTO jobs_process (id, beat, started_at, seen_at) VALUES ($1, 0, $2, $2)";
const BEAT: &str = "UPDATE jobs_process SET beat = beat + 1, seen_at = $2 WHERE id = $1";
const BEATS: &str = "SELECT id, beat FROM jobs_process WHERE id <> $1";
const DEREGISTER: &str = "DELETE FROM jobs_process WHERE id = $1";
/// Only if it has not stirred since.
const BURY: &str = "DELETE FROM jobs_process WHERE id = $1 AND beat = $2";
/// Not a doubtful number of failures: an attempt that took its process down counts.
const TAKE_OVER: &str = "UPDATE jobs_job SET \
     state = CASE WHEN cancel_requested THEN 'cancelled' WHEN failures + 1 >= max_attempts THEN 'dead' ELSE 'ready' END, \
     finished_at = CASE WHEN cancel_requested OR failures + 1 >= max_attempts THEN $2 ELSE NULL END, \
     failures = failures + 1, process_id = NULL, cancel_requested = $3, last_error = $4, updated_at = $2, \
     version = version + 1 WHERE process_id = $1 AND state = 'running'";

const PROMOTE: &str = "UPDATE jobs_job SET state = 'ready', updated_at = $1, version = version + 1 WHERE id IN \
     (SELECT id FROM jobs_job WHERE state IN ('scheduled', 'retrying') AND run_at <= $1 \
     ORDER BY run_at LIMIT 1000{skip_locked})";
const CLAIM: &str = "WITH picked AS MATERIALIZED (SELECT id FROM jobs_job WHERE state = 'ready' AND kind IN ({kinds}) \
     ORDER BY priority DESC, run_at, id LIMIT $3{skip_locked}) \
     UPDATE jobs_job SET state = 'running', attempt = attempt + 1, process_id = $1, progress_done = NULL, \
     progress_total = NULL, progress_note = NULL, updated_at = $2, version = version + 1 \
     WHERE id IN (SELECT id FROM picked) \
     RETURNING id, attempt, tenant_id, kind, payload, failures, priority, run_at";
const OUTLOOK: &str = "SELECT \
     (SELECT COUNT(*) FROM (SELECT 1 FROM jobs_job WHERE state = 'ready' AND kind IN ({kinds}) LIMIT 1) AS any_ready) \
     AS ready, \
     (SELECT MIN(run_at) FROM jobs_job WHERE state IN ('scheduled', 'retrying')) AS next_due";
const MINE: &str = "SELECT id, attempt, cancel_requested FROM jobs_job WHERE process_id = $1 AND state = 'running'";

const PROGRESS: &str = "UPDATE jobs_job SET progress_done = $3, progress_total = $4, progress_note = $5, \
     updated_at = $6, version = version + 1 WHERE id = $1 AND attempt = $2 AND state = 'running'";
const SUCCEED: &str = "UPDATE jobs_job SET state = 'succeeded', process_id = NULL, cancel_requested = $1, \
     last_error = NULL, finished_at = $2, updated_at = $2, version = version + 1 \
     WHERE state = 'running' AND (id, attempt) IN (VALUES {holds}) RETURNING id, attempt";
const FAIL: &str = "UPDATE jobs_job SET \
     state = CASE WHEN cancel_requested THEN 'cancelled' WHEN failures + 1 >= max_attempts THEN 'dead' \
     ELSE 'retrying' END, \
     finished_at = CASE WHEN cancel_requested OR failures + 1 >= max_attempts THEN $3 ELSE NULL END, \
     failures = failures + 1, process_id = NULL, cancel_requested = $6, run_at = $4, last_error = $5, \
     updated_at = $3, version = version + 1 \
     WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING state";
const HAND_BACK: &str = "UPDATE jobs_job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'ready' END, \
     finished_at = CASE WHEN cancel_requested THEN $3 ELSE NULL END, process_id = NULL, cancel_requested = $4, \
     updated_at = $3, version = version + 1 \
     WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING state";

/// Each part goes by an index of its own; what has ended is not looked at.
const STATS: &str = "SELECT queue, \
     SUM(CASE WHEN state = 'ready' OR (state IN ('scheduled', 'retrying') AND run_at <= $1) THEN 1 ELSE 0 END) AS ready, \
     SUM(CASE WHEN state = 'scheduled' AND run_at > $1 THEN 1 ELSE 0 END) AS scheduled, \
     SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END) AS running, \
     SUM(CASE WHEN state = 'retrying' AND run_at > $1 THEN 1 ELSE 0 END) AS retrying, \
     SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END) AS dead, \
     MIN(CASE WHEN state IN ('ready', 'scheduled', 'retrying') AND run_at <= $1 THEN run_at END) AS oldest \
     FROM (SELECT tenant_id, queue, state, run_at FROM jobs_job WHERE state = 'ready' \
     UNION ALL SELECT tenant_id, queue, state, run_at FROM jobs_job WHERE state IN ('scheduled', 'retrying') \
     UNION ALL SELECT tenant_id, queue, state, run_at FROM jobs_job WHERE state = 'running' \
     UNION ALL SELECT tenant_id, queue, state, run_at FROM jobs_job WHERE state = 'dead') AS open \
     {scope} GROUP BY queue ORDER BY queue";

#[derive(FromQueryResult)]
struct JobRow {
    id: Uuid,
    kind: String,
    queue: String,
    state: String,
    attempt: i32,
    max_attempts: i32,
    priority: i32,
    run_at: DateTime<Utc>,
    progress_done: Option<i64>,
    progress_total: Option<i64>,
    progress_note: Option<String>,
    last_error: Option<String>,
    unique_key: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    version: i64,
}

#[derive(FromQueryResult)]
struct ClaimedRow {
    id: Uuid,
    attempt: i32,
    tenant_id: Uuid,
    kind: String,
    payload: String,
    failures: i32,
    priority: i32,
    run_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

#[derive(FromQueryResult)]
struct StateRow {
    state: String,
}

#[derive(FromQueryResult)]
struct HoldRow {
    id: Uuid,
    attempt: i32,
}

#[derive(FromQueryResult)]
struct MineRow {
    id: Uuid,
    attempt: i32,
    cancel_requested: bool,
}

#[derive(FromQueryResult)]
struct BeatRow {
    id: Uuid,
    beat: i64,
}

#[derive(FromQueryResult)]
struct OutlookRow {
    ready: i64,
    next_due: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct StatsRow {
    queue: String,
    ready: i64,
    scheduled: i64,
    running: i64,
    retrying: i64,
    dead: i64,
    oldest: Option<DateTime<Utc>>,
}

impl JobRow {
    fn job(self) -> Result<Job, Problem> {
        let state = JobState::parse(&self.state).ok_or_else(|| Problem::internal("a job in an unknown state"))?;
        let progress = self.progress_done.map(|done| Progress {
            done,
            total: self.progress_total.unwrap_or(0),
            note: self.progress_note.unwrap_or_default(),
        });
        Ok(Job {
            id: Id::from_uuid(self.id),
            kind: self.kind,
            queue: self.queue,
            state,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            priority: self.priority,
            run_at: self.run_at,
            progress,
            last_error: self.last_error,
            unique_key: self.unique_key,
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            version: self.version,
        })
    }
}

/// What there is to do for a process.
pub(crate) struct Outlook {
    /// Whether a job of its kinds waits for a worker.
    pub(crate) ready: bool,
    /// When the next job's time comes.
    pub(crate) next_due: Option<DateTime<Utc>>,
    /// What the database says that this process holds, and whether it was called off.
    pub(crate) mine: Vec<(Hold, bool)>,
}

/// Writes a job; `false` when its unique key is taken.
pub(crate) async fn insert(tx: &Tx, id: JobId, job: &NewJob, payload: &str) -> Result<bool, DbErr> {
    let now = tx.now();
    let run_at = job.run_at.unwrap_or(now);
    let values: [Value; 12] = [
        id.into(),
        tx.tenant().into(),
        job.kind.into(),
        job.queue.into(),
        first_state(run_at, now).word().into(),
        job.priority.into(),
        run_at.into(),
        i32::try_from(Ord::max(job.max_attempts, 1)).unwrap_or(i32::MAX).into(),
        payload.into(),
        job.unique_key.clone().into(),
        false.into(),
        now.into(),
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

/// The waiting or running job of the tenant with this key.
pub(crate) async fn find_live(tx: &Tx, unique_key: Option<&str>) -> Result<Option<JobId>, DbErr> {
    let values = [tx.tenant().into(), unique_key.map(str::to_owned).into()];
    let row: Option<IdRow> = tx.one(FIND_LIVE, values).await?;
    Ok(row.map(|row| Id::from_uuid(row.id)))
}

/// A job of the tenant; `lock` goes at the end of the statement.
pub(crate) async fn find(tx: &Tx, id: JobId, lock: &str) -> Result<Option<Job>, Problem> {
    let row: Option<JobRow> = tx.one(&format!("{FIND}{lock}"), [tx.tenant().into(), id.into()]).await?;
    row.map(JobRow::job).transpose()
}

pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<Job>, Problem> {
    let columns = [
        "id",
        "kind",
        "queue",
        "state",
        "attempt",
        "max_attempts",
        "priority",
        "run_at",
        "progress_done",
        "progress_total",
        "progress_note",
        "last_error",
        "unique_key",
        "created_at",
        "updated_at",
        "finished_at",
        "version",
    ];
    let mut select = Query::select()
        .columns(columns.map(Alias::new))
        .from("jobs_job")
        .and_where(Expr::col("tenant_id").eq(tx.tenant().uuid()))
        .to_owned();
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| JobRow::from_query_result(row, "")?.job()).collect()
}

pub(crate) async fn cancel(tx: &Tx, id: JobId) -> Result<bool, DbErr> {
    Ok(tx.execute(CANCEL, [tx.tenant().into(), id.into(), tx.now().into()]).await? == 1)
}

pub(crate) async fn retry(tx: &Tx, id: JobId) -> Result<(), Error> {
    match tx.execute(RETRY, [tx.tenant().into(), id.into(), tx.now().into()]).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(Error::UniqueKeyTaken)
        }
        Err(error) => Err(Problem::from(error).into()),
    }
}

pub(crate) async fn prune(tx: &Tx, before: DateTime<Utc>) -> Result<u64, DbErr> {
    tx.execute(PRUNE, [before.into()]).await
}

pub(crate) async fn forget(tx: &Tx) -> Result<(), DbErr> {
    tx.execute(FORGET, [tx.tenant().into()]).await.map(|_| ())
}

pub(crate) async fn stats(tx: &Tx, tenant: Option<TenantId>) -> Result<Vec<QueueStats>, Problem> {
    let now = tx.now();
    let scope = if tenant.is_some() { "WHERE tenant_id = $2" } else { "" };
    let values: Vec<Value> = std::iter::once(now.into()).chain(tenant.map(Value::from)).collect();
    let rows: Vec<StatsRow> = tx.all(&STATS.replace("{scope}", scope), values).await?;
    let stats = |row: StatsRow| QueueStats {
        queue: row.queue,
        ready: row.ready,
        scheduled: row.scheduled,
        running: row.running,
        retrying: row.retrying,
        dead: row.dead,
        oldest_ready_seconds: row.oldest.map(|oldest| (now - oldest).as_seconds_f64().max(0.0)),
    };
    Ok(rows.into_iter().map(stats).collect())
}

/// Enters a living process.
pub(crate) async fn register(tx: &Tx, process: ProcessId) -> Result<(), DbErr> {
    tx.execute(REGISTER, [process.into(), tx.now().into()]).await.map(|_| ())
}

/// A sign of life; `false` when the process was believed dead and buried.
pub(crate) async fn beat(tx: &Tx, process: ProcessId) -> Result<bool, DbErr> {
    Ok(tx.execute(BEAT, [process.into(), tx.now().into()]).await? == 1)
}

/// The signs of life of all others.
pub(crate) async fn beats(tx: &Tx, process: ProcessId) -> Result<Vec<(ProcessId, i64)>, DbErr> {
    let rows: Vec<BeatRow> = tx.all(BEATS, [process.into()]).await?;
    Ok(rows.into_iter().map(|row| (Id::from_uuid(row.id), row.beat)).collect())
}

/// Leaves; to be done when nothing is held any more.
pub(crate) async fn deregister(tx: &Tx, process: ProcessId) -> Result<(), DbErr> {
    tx.execute(DEREGISTER, [process.into()]).await.map(|_| ())
}

/// Makes the jobs of a dead process ready again. `None` when it has stirred meanwhile, or somebody else was faster.
pub(crate) async fn bury(tx: &Tx, process: ProcessId, beat: i64) -> Result<Option<u64>, DbErr> {
    if tx.execute(BURY, [process.into(), beat.into()]).await? == 0 {
        return Ok(None);
    }
    let reason = "The process that ran it died.";
    let values = [process.into(), tx.now().into(), false.into(), reason.into()];
    tx.execute(TAKE_OVER, values).await.map(Some)
}

/// Keeps the process from being buried until the commit; `false` when it was before.
pub(crate) async fn hold_process(tx: &Tx, process: ProcessId) -> Result<bool, DbErr> {
    let sql = format!("SELECT id FROM jobs_process WHERE id = $1{}", tx.engine().for_update());
    let row: Option<IdRow> = tx.one(&sql, [process.into()]).await?;
    Ok(row.is_some())
}

/// Makes jobs ready whose time has come.
pub(crate) async fn promote(tx: &Tx) -> Result<u64, DbErr> {
    let sql = PROMOTE.replace("{skip_locked}", tx.engine().skip_locked());
    tx.execute(&sql, [tx.now().into()]).await
}

/// Gives at most so many jobs of these kinds to the process, the most urgent first.
pub(crate) async fn claim(
    tx: &Tx,
    process: ProcessId,
    kinds: &[&'static str],
    limit: usize,
) -> Result<Vec<Claimed>, Problem> {
    let sql = CLAIM.replace("{kinds}", &places(4, kinds.len())).replace("{skip_locked}", tx.engine().skip_locked());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut values: Vec<Value> = vec![process.into(), tx.now().into(), limit.into()];
    values.extend(kinds.iter().map(|kind| Value::from(*kind)));
    let mut rows: Vec<ClaimedRow> = tx.all(&sql, values).await?;
    rows.sort_by(|a, b| (b.priority, a.run_at, a.id).cmp(&(a.priority, b.run_at, b.id)));
    let claimed = |row: ClaimedRow| {
        Ok(Claimed {
            hold: Hold { job: Id::from_uuid(row.id), attempt: row.attempt },
            tenant: Id::from_uuid(row.tenant_id),
            kind: row.kind,
            payload: serde_json::from_str(&row.payload).map_err(Problem::internal)?,
            failures: row.failures,
        })
    };
    rows.into_iter().map(claimed).collect()
}

/// What there is to do for a process with these kinds.
pub(crate) async fn outlook(tx: &Tx, process: ProcessId, kinds: &[&'static str]) -> Result<Outlook, Problem> {
    let sql = OUTLOOK.replace("{kinds}", &places(1, kinds.len()));
    let row: Option<OutlookRow> = tx.one(&sql, kinds.iter().map(|kind| Value::from(*kind))).await?;
    let mine: Vec<MineRow> = tx.all(MINE, [process.into()]).await?;
    let hold = |row: MineRow| (Hold { job: Id::from_uuid(row.id), attempt: row.attempt }, row.cancel_requested);
    Ok(Outlook {
        ready: row.as_ref().is_some_and(|row| row.ready > 0),
        next_due: row.and_then(|row| row.next_due),
        mine: mine.into_iter().map(hold).collect(),
    })
}

/// Notes how far an attempt has come; `false` when it no longer holds its job.
pub(crate) async fn progress(tx: &Tx, hold: Hold, progress: &Progress) -> Result<bool, DbErr> {
    let values = [
        hold.job.into(),
        hold.attempt.into(),
        progress.done.into(),
        progress.total.into(),
        progress.note.as_str().into(),
        tx.now().into(),
    ];
    Ok(tx.execute(PROGRESS, values).await? == 1)
}

/// Settles attempts as done; returns those that still held their jobs.
pub(crate) async fn succeed(tx: &Tx, holds: &[Hold]) -> Result<Vec<Hold>, DbErr> {
    let pairs: Vec<String> =
        (0..holds.len()).map(|index| format!("(${}, ${})", 3 + 2 * index, 4 + 2 * index)).collect();
    let mut values: Vec<Value> = vec![false.into(), tx.now().into()];
    values.extend(holds.iter().flat_map(|hold| [hold.job.into(), hold.attempt.into()]));
    let rows: Vec<HoldRow> = tx.all(&SUCCEED.replace("{holds}", &pairs.join(", ")), values).await?;
    Ok(rows.into_iter().map(|row| Hold { job: Id::from_uuid(row.id), attempt: row.attempt }).collect())
}

/// Settles an attempt as failed; returns the job's state, if the attempt still held it.
pub(crate) async fn fail(tx: &Tx, hold: Hold, retry_at: DateTime<Utc>, error: &str) -> Result<Option<JobState>, DbErr> {
    let values = [hold.job.into(), hold.attempt.into(), tx.now().into(), retry_at.into(), error.into(), false.into()];
    let row: Option<StateRow> = tx.one(FAIL, values).await?;
    Ok(row.and_then(|row| JobState::parse(&row.state)))
}

/// Gives a job back as if it had not been claimed; returns its state, if the attempt still held it.
pub(crate) async fn hand_back(tx: &Tx, hold: Hold) -> Result<Option<JobState>, DbErr> {
    let values = [hold.job.into(), hold.attempt.into(), tx.now().into(), false.into()];
    let row: Option<StateRow> = tx.one(HAND_BACK, values).await?;
    Ok(row.and_then(|row| JobState::parse(&row.state)))
}

/// `$first, $first+1, …`; never empty, so that `IN ()` stays valid.
fn places(first: usize, count: usize) -> String {
    if count == 0 {
        return "NULL".to_owned();
    }
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}
