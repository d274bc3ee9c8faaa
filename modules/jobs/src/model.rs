//! The words of this domain.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{Id, IdKind, TenantId};
use serde::{Deserialize, Serialize};

/// Names a job: `job_…`.
pub enum JobKind {}
impl IdKind for JobKind {
    const PREFIX: &'static str = "job";
}
/// Names a job.
pub type JobId = Id<JobKind>;

/// Names a process that works on jobs: `prc_…`.
pub(crate) enum ProcessKind {}
impl IdKind for ProcessKind {
    const PREFIX: &'static str = "prc";
}
/// Names a process that works on jobs.
pub(crate) type ProcessId = Id<ProcessKind>;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Scheduled,
    /// Waits for a free worker.
    Ready,
    /// Is being done.
    Running,
    /// Failed, and waits to be tried again.
    Retrying,
    /// Done.
    Succeeded,
    /// Failed as often as it may.
    Dead,
    /// Called off.
    Cancelled,
}

impl JobState {
    pub(crate) const ALL: [Self; 7] =
        [Self::Scheduled, Self::Ready, Self::Running, Self::Retrying, Self::Succeeded, Self::Dead, Self::Cancelled];
    pub(crate) const WORDS: &'static [&'static str] =
        &["scheduled", "ready", "running", "retrying", "succeeded", "dead", "cancelled"];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How far a running job has come, in its own units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Progress {
    pub done: i64,
    pub total: i64,
    pub note: String,
}

/// Work that was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Job {
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    pub queue: String,
    pub state: JobState,
    /// How often it has been given to a worker.
    pub attempt: i32,
    /// After this many failures it is dead.
    pub max_attempts: i32,
    /// Higher goes first.
    pub priority: i32,
    /// Not before this time.
    pub run_at: DateTime<Utc>,
    pub progress: Option<Progress>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// At most one job of the tenant with this key waits or runs.
    pub unique_key: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub version: i64,
}

/// How full a queue is.
#[derive(Clone, Debug, PartialEq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct QueueStats {
    pub queue: String,
    /// Waiting for a worker.
    pub ready: i64,
    /// Waiting for their time.
    pub scheduled: i64,
    pub running: i64,
    /// Failed, waiting to be tried again.
    pub retrying: i64,
    /// Failed as often as they may.
    pub dead: i64,
    /// How long the oldest ready one has waited.
    pub oldest_ready_seconds: Option<f64>,
}

/// How full all queues are.
#[derive(Clone, Debug, PartialEq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct JobStats {
    pub queues: Vec<QueueStats>,
}

/// What a worker holds: nobody else has this pair, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) job: JobId,
    pub(crate) attempt: i32,
}

/// A job that was just given to this process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claimed {
    pub(crate) hold: Hold,
    pub(crate) tenant: TenantId,
    pub(crate) kind: String,
    pub(crate) payload: serde_json::Value,
    pub(crate) failures: i32,
}
