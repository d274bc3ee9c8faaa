//! Promising work, and what else other modules do with jobs in their own transactions.

use chrono::{DateTime, Utc};
use kernel::{Problem, Tx};
use serde_json::Value;

use crate::error::Error;
use crate::model::{Job, JobId, JobState};
use crate::store;

/// Rung after a commit that made work or called some off.
pub(crate) const BELL: &str = "jobs";
/// The most bytes of a payload.
const MAX_PAYLOAD: usize = 256 * 1024;
const MAX_UNIQUE_KEY: usize = 200;
/// The deepest nesting of a payload; a parser refuses what is nested without end.
const MAX_DEPTH: usize = 64;
/// How often a key is looked for that is taken, but by a job which ends at this very moment.
const LOOKS: u32 = 5;

/// Work to be promised.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What is to be done; names the handler.
    pub kind: &'static str,
    /// The queue under which it is counted; `default`.
    pub queue: &'static str,
    /// What the handler needs to know, at most 256 KiB.
    pub payload: Value,
    /// Not before this time; `None` for at once.
    pub run_at: Option<DateTime<Utc>>,
    /// After this many failures it is dead; 10.
    pub max_attempts: u32,
    /// At most one job of the tenant with this key waits or runs.
    pub unique_key: Option<String>,
    /// Higher goes first; 0.
    pub priority: i32,
}

impl NewJob {
    /// Work to be done at once.
    pub const fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, queue: "default", payload, run_at: None, max_attempts: 10, unique_key: None, priority: 0 }
    }

    /// Not before this time.
    #[must_use]
    pub fn at(self, time: DateTime<Utc>) -> Self {
        Self { run_at: Some(time), ..self }
    }

    /// Only if no job of the tenant with this key waits or runs.
    #[must_use]
    pub fn unique(self, key: impl Into<String>) -> Self {
        Self { unique_key: Some(key.into()), ..self }
    }

    /// Dead after this many failures.
    #[must_use]
    pub fn attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// Higher goes first.
    #[must_use]
    pub fn priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// Counted under this queue.
    #[must_use]
    pub fn queue(self, queue: &'static str) -> Self {
        Self { queue, ..self }
    }
}

/// Promises work in the tenant of `tx`: it is done if and when `tx` commits. When a job with the same unique key
/// waits or runs already, that one's id is returned and nothing is added.
///
/// # Errors
/// [`Error::PayloadTooLarge`], [`Error::PayloadTooDeep`] or [`Error::UniqueKeyInvalid`] as problems, and what the database says.
pub async fn enqueue(tx: &Tx, job: NewJob) -> Result<JobId, Problem> {
    let payload = job.payload.to_string();
    if payload.len() > MAX_PAYLOAD {
        return Err(Error::PayloadTooLarge { size: payload.len(), max: MAX_PAYLOAD }.into());
    }
    if is_deeper(&job.payload, MAX_DEPTH) {
        return Err(Error::PayloadTooDeep { max: MAX_DEPTH }.into());
    }
    if job.unique_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_UNIQUE_KEY) {
        return Err(Error::UniqueKeyInvalid { max: MAX_UNIQUE_KEY }.into());
    }
    let id = tx.new_id();
    for _ in 0..LOOKS {
        if store::insert(tx, id, &job, &payload).await? {
            tx.ring_on_commit(BELL);
            return Ok(id);
        }
        if let Some(taken) = store::find_live(tx, job.unique_key.as_deref()).await? {
            return Ok(taken);
        }
    }
    Err(Error::UniqueKeyTaken.into())
}

/// Calls a job of the tenant off: at once if it waits; if it runs, its handler is told. `false` when it has ended, or
/// does not exist.
///
/// # Errors
/// What the database says.
pub async fn cancel(tx: &Tx, id: JobId) -> Result<bool, Problem> {
    let done = store::cancel(tx, id).await?;
    if done {
        tx.ring_on_commit(BELL);
    }
    Ok(done)
}

/// A job of the tenant.
///
/// # Errors
/// What the database says.
pub async fn find(tx: &Tx, id: JobId) -> Result<Option<Job>, Problem> {
    store::find(tx, id, "").await
}

/// Removes jobs that ended before this moment, well or not; `tx` reaches all tenants. It takes a bounded number at
/// once, so that it holds up no writer: call it, each time in a transaction of its own, until it returns 0.
///
/// # Errors
/// What the database says.
pub async fn prune(tx: &Tx, before: DateTime<Utc>) -> Result<u64, Problem> {
    Ok(store::prune(tx, before).await?)
}

/// Removes all jobs of the transaction's tenant, which is gone; one that runs can't settle any more.
///
/// # Errors
/// What the database says.
pub async fn forget(tx: &Tx) -> Result<(), Problem> {
    Ok(store::forget(tx).await?)
}

/// The state of a job that may run from `run_at` on.
pub(crate) fn first_state(run_at: DateTime<Utc>, now: DateTime<Utc>) -> JobState {
    if run_at > now { JobState::Scheduled } else { JobState::Ready }
}

/// Whether a value is nested deeper than this.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(rest) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, rest)),
        Value::Object(members) => members.values().any(|member| is_deeper(member, rest)),
        _ => false,
    }
}
