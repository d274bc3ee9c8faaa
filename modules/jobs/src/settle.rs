//! Settling: what attempts came to, written together and in their order, each fenced by its (job, attempt).

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use kernel::{Caller, Problem, Tx};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::enqueue::BELL;
use crate::execute::Outcome;
use crate::model::Hold;
use crate::process::Shared;
use crate::{periodic, store};

/// How many settlements one transaction takes.
const BATCH: usize = 256;
/// The first wait bound after a failure, doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The longest error that is kept, in characters.
const MAX_ERROR: usize = 1000;

/// What an attempt came to.
pub(crate) struct Settlement {
    pub(crate) hold: Hold,
    pub(crate) kind: &'static str,
    pub(crate) outcome: Outcome,
    /// Failures before this attempt.
    pub(crate) failures: i32,
    /// When the kind comes round.
    pub(crate) every: Option<Duration>,
}

/// Writes settlements until there will be no more.
pub(crate) async fn run(shared: &Shared, mut queue: mpsc::Receiver<Settlement>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        write_out(shared, &batch).await;
        for settlement in batch.drain(..) {
            shared.release(settlement.hold);
        }
    }
}

/// Writes a batch, however long the database is away; at a shutdown only as long as draining may take.
async fn write_out(shared: &Shared, batch: &[Settlement]) {
    let began = Instant::now();
    loop {
        match write(shared, batch).boxed().await {
            Ok(outcomes) => {
                for (settlement, outcome) in batch.iter().zip(outcomes) {
                    let labels = [("kind", settlement.kind), ("outcome", outcome)];
                    metrics::counter!("holdfast_jobs_settled_total", &labels).increment(1);
                }
                return;
            }
            Err(problem) if shared.tasks.is_stopping() && began.elapsed() >= shared.config.drain() => {
                tracing::error!(?problem, jobs = batch.len(), "attempts stay unsettled; others will repeat them");
                return;
            }
            Err(problem) => {
                tracing::warn!(?problem, jobs = batch.len(), "settling waits for the database");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// One transaction; returns what became of each.
async fn write(shared: &Shared, batch: &[Settlement]) -> Result<Vec<&'static str>, Problem> {
    let plain = batch.iter().filter(|settlement| settlement.outcome == Outcome::Succeeded);
    let plain: Vec<Hold> = plain.map(|settlement| settlement.hold).collect();
    let caller = Caller::platform("jobs");
    let work = async |tx: &Tx| {
        let succeeded = if plain.is_empty() { Vec::new() } else { store::succeed(tx, &plain).await? };
        let mut outcomes = Vec::new();
        for settlement in batch {
            outcomes.push(match &settlement.outcome {
                Outcome::Settled => settlement.outcome.word(),
                Outcome::Succeeded if succeeded.contains(&settlement.hold) => settlement.outcome.word(),
                Outcome::Succeeded => "stale",
                Outcome::Failed(error) => failed(tx, settlement, error).await?,
                Outcome::HandedBack => handed_back(tx, settlement.hold).await?,
            });
            if let Some(every) = settlement.every {
                periodic::promise(tx, settlement.kind, every).await?;
            }
        }
        Ok(outcomes)
    };
    shared.db.write(&caller, work).await
}

async fn failed(tx: &Tx, settlement: &Settlement, error: &str) -> Result<&'static str, Problem> {
    let retry_at = retry_at(tx, settlement.failures);
    let error: String = error.chars().take(MAX_ERROR).collect();
    tx.ring_on_commit(BELL); // the time of its next try is news to the dispatcher
    let state = store::fail(tx, settlement.hold, retry_at, &error).await?;
    tracing::warn!(job = %settlement.hold.job, kind = settlement.kind, error, ?state, "a job failed");
    Ok(state.map_or("stale", crate::model::JobState::word))
}

/// Gives a job back, for another process or a later one.
pub(crate) async fn handed_back(tx: &Tx, hold: Hold) -> Result<&'static str, Problem> {
    tx.ring_on_commit(BELL);
    Ok(store::hand_back(tx, hold).await?.map_or("stale", |_| Outcome::HandedBack.word()))
}

/// When to try again: any time before a bound that doubles with each failure ("full jitter").
fn retry_at(tx: &Tx, failures: i32) -> DateTime<Utc> {
    let bound = FIRST_WAIT * 2_u32.saturating_pow(u32::try_from(failures).unwrap_or(0).min(16));
    tx.now() + bound.min(LONGEST_WAIT).mul_f64(tx.random().fraction())
}
