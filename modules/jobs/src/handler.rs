//! Who does the work, and what it is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use kernel::{Caller, Db, Problem, TenantId, Tx};
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::error::Error;
use crate::model::{Claimed, Hold, JobId, Progress};
use crate::store;

/// Progress that comes faster than this is not written, but for the last of it.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// The longest note beside a progress, in characters.
const MAX_NOTE: usize = 200;

/// Does the work of one kind of jobs.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The kind, for all time: jobs are stored under it.
    fn kind(&self) -> &'static str;

    /// How often such a job is to run by itself, in the system tenant; `None` for never. The runs lie on a fixed
    /// grid of time, and all processes together do each once.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// How long an attempt may take; `None` for the configured time.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Does it, at least once: an attempt may be repeated after a crash. Effects in the database belong into
    /// [`Run::settle_with`], then they happen exactly once. Work that keeps the processor busy belongs on a thread of
    /// its own. When [`Run::cancelled`] completes, it should return soon, with an error if it is not done; after a
    /// while it is dropped at its next await.
    ///
    /// # Errors
    /// Anything: the job is tried again later, with growing waits, as often as it may.
    async fn run(&self, run: &Run) -> Result<(), Problem>;
}

/// Why an attempt should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It should not.
    No,
    /// Somebody called the job off.
    Cancelled,
    /// The process stops.
    Shutdown,
    /// The job was given to another process.
    Lost,
}

/// One attempt at one job.
pub struct Run {
    /// The job.
    pub job: JobId,
    /// Which claim of it this is, from 1.
    pub attempt: u32,
    /// How many attempts before it failed or took their process down. Those that were handed back are not counted.
    pub failures: u32,
    /// The tenant whose job it is.
    pub tenant: TenantId,
    /// What the job is about.
    pub payload: Value,
    db: Db,
    hold: Hold,
    stop: watch::Receiver<Stop>,
    settled: AtomicBool,
    reported: Arc<Mutex<Option<Instant>>>,
}

impl Run {
    pub(crate) fn new(db: Db, claimed: Claimed, stop: watch::Receiver<Stop>) -> Self {
        Self {
            job: claimed.hold.job,
            attempt: u32::try_from(claimed.hold.attempt).unwrap_or(0),
            failures: u32::try_from(claimed.failures).unwrap_or(0),
            tenant: claimed.tenant,
            payload: claimed.payload,
            db,
            hold: claimed.hold,
            stop,
            settled: AtomicBool::new(false),
            reported: Arc::default(),
        }
    }

    /// The process, acting for the job in its tenant. Made anew for each unit of work: it is good for 30 s.
    pub fn caller(&self) -> Caller {
        Caller::system("jobs", self.tenant)
    }

    /// Whether the attempt should stop: called off, process stopping, or the job given to somebody else.
    pub fn is_cancelled(&self) -> bool {
        *self.stop.borrow() != Stop::No
    }

    /// Completes when the attempt should stop.
    pub async fn cancelled(&self) {
        self.stopped().await;
    }

    /// Notes how far the attempt has come. What comes faster than five times a second is skipped, but for the end.
    ///
    /// # Errors
    /// [`Error::StaleAttempt`] as a problem when the job was given to somebody else; stop then.
    pub async fn progress(&self, done: u64, total: u64, note: &str) -> Result<(), Problem> {
        let mut reported = self.reported.lock().await;
        if done < total && reported.is_some_and(|last| last.elapsed() < PROGRESS_EVERY) {
            return Ok(());
        }
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let note = note.chars().take(MAX_NOTE).collect();
        let progress = Progress { done: whole(done), total: whole(total), note };
        let caller = self.caller();
        let write = self.db.write(&caller, async |tx| {
            let held = store::progress(tx, self.hold, &progress).await?;
            if held { Ok(()) } else { Err(Problem::from(Error::StaleAttempt)) }
        });
        write.boxed().await?;
        *reported = Some(Instant::now());
        Ok(())
    }

    /// Does the last piece of work and settles the job as succeeded, in one transaction in the job's tenant: both
    /// or neither. An attempt that no longer holds its job changes nothing.
    ///
    /// # Errors
    /// [`Error::StaleAttempt`] as a problem, or what `work` returns.
    pub async fn settle_with<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        let value = self
            .db
            .write(&self.caller(), async |tx| {
                // First, so that whoever takes the job over waits, or has done so and is seen.
                let held = store::succeed(tx, &[self.hold]).await.map_err(Problem::from)?;
                if held.is_empty() {
                    return Err(Problem::from(Error::StaleAttempt).into());
                }
                work.clone()(tx).await
            })
            .await?;
        self.settled.store(true, Ordering::Release);
        Ok(value)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Completes with the reason when the attempt should stop.
    pub(crate) async fn stopped(&self) -> Stop {
        let mut stop = self.stop.clone();
        match stop.wait_for(|stop| *stop != Stop::No).await {
            Ok(stop) => *stop,
            Err(_) => Stop::Lost, // the process that could tell is gone
        }
    }

    pub(crate) fn stop_reason(&self) -> Stop {
        *self.stop.borrow()
    }
}
