//! Claiming jobs for the free places of this process, and running them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use kernel::{Caller, Problem, Tx};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::enqueue::BELL;
use crate::execute::execute;
use crate::handler::{Handler, Run, Stop};
use crate::model::{Claimed, Hold, ProcessId};
use crate::process::Shared;
use crate::settle::{Settlement, handed_back};
use crate::store::Outlook;
use crate::{periodic, store};

/// The longest wait without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// The wait after others were faster.
const BEATEN: Duration = Duration::from_millis(50);
/// How often it is made sure that periodic work is promised.
const PROMISE: Duration = Duration::from_mins(1);

/// The part of a process that claims and runs.
pub(crate) struct Dispatch {
    shared: Arc<Shared>,
    settlements: mpsc::Sender<Settlement>,
    attempts: JoinSet<()>,
    promised: Option<Instant>,
}

impl Dispatch {
    pub(crate) fn new(shared: Arc<Shared>, settlements: mpsc::Sender<Settlement>) -> Self {
        Self { shared, settlements, attempts: JoinSet::new(), promised: None }
    }

    /// Claims and runs until the process stops; then waits for what runs.
    pub(crate) async fn run(mut self) {
        let bell = self.shared.db.signals().bell(BELL);
        while !self.shared.tasks.is_stopping() {
            let wait = self.turn().boxed().await.unwrap_or_else(|problem| {
                tracing::warn!(?problem, "jobs wait for the database");
                self.jittered(POLL)
            });
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                () = self.shared.tasks.stopping() => {}
                () = bell.notified() => {}
                Some(_) = self.attempts.join_next() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        // From here each attempt ends within the time for draining.
        self.shared.tell_all(Stop::Shutdown);
        while self.attempts.join_next().await.is_some() {}
    }

    /// One look at the queue; returns how long to wait for the next.
    async fn turn(&mut self) -> Result<Duration, Problem> {
        while self.attempts.try_join_next().is_some() {}
        let Some(process) = self.shared.id() else { return Ok(BEATEN) };
        self.promise().await?;
        let caller = Caller::platform("jobs");
        let look = async |tx: &Tx| store::outlook(tx, process, &self.shared.kinds).await;
        let Outlook { ready, next_due, mine } = self.shared.db.read(&caller, look).boxed().await?;
        self.reconcile(mine).await?;
        let now = self.shared.db.clock().now();
        let until_due = next_due.map(|due| (due - now).to_std().unwrap_or_default());
        let free = self.shared.config.concurrency.saturating_sub(self.attempts.len());
        let poll = self.jittered(POLL);
        if free == 0 {
            return Ok(poll); // a place that becomes free wakes us
        }
        if !ready && until_due.is_none_or(|wait| !wait.is_zero()) {
            return Ok(until_due.map_or(poll, |due| due.min(poll)));
        }
        let claimed = self.claim(process, free).await?;
        if claimed.is_empty() {
            return Ok(self.jittered(BEATEN));
        }
        claimed.into_iter().for_each(|claimed| self.start(claimed));
        Ok(Duration::ZERO)
    }

    async fn claim(&self, process: ProcessId, free: usize) -> Result<Vec<Claimed>, Problem> {
        let caller = Caller::platform("jobs");
        let claim = async |tx: &Tx| {
            store::promote(tx).await?;
            if !store::hold_process(tx, process).await? {
                return Ok(Vec::new()); // believed dead; the next sign of life will find out
            }
            store::claim(tx, process, &self.shared.kinds, free).await
        };
        self.shared.db.write(&caller, claim).boxed().await
    }

    fn start(&mut self, claimed: Claimed) {
        let Some((kind, handler)) = self.shared.handlers.get_key_value(claimed.kind.as_str()) else { return };
        let (kind, handler) = (*kind, Arc::clone(handler));
        let stop = self.shared.hold(claimed.hold);
        metrics::counter!("holdfast_jobs_claimed_total", "kind" => kind).increment(1);
        let shared = Arc::clone(&self.shared);
        self.attempts.spawn(attempt(shared, kind, handler, claimed, stop, self.settlements.clone()));
    }

    /// Compares what the database says we hold with what we know: tells attempts that were called off, and gives back
    /// what we never heard of (the answer to a claim may be lost on its way).
    async fn reconcile(&self, mine: Vec<(Hold, bool)>) -> Result<(), Problem> {
        let unknown: Vec<Hold> = mine
            .into_iter()
            .filter(|(hold, called_off)| !self.shared.tell(*hold, *called_off))
            .map(|it| it.0)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let caller = Caller::platform("jobs");
        let give_back = async |tx: &Tx| {
            for hold in &unknown {
                handed_back(tx, *hold).await?;
            }
            Ok(())
        };
        self.shared.db.write(&caller, give_back).boxed().await
    }

    /// Makes sure, now and then, that the next run of all periodic work is promised.
    async fn promise(&mut self) -> Result<(), Problem> {
        if self.promised.is_some_and(|last| last.elapsed() < PROMISE) {
            return Ok(());
        }
        let handlers = self.shared.handlers.values();
        let periodic: Vec<_> = handlers.filter_map(|handler| Some((handler.kind(), handler.every()?))).collect();
        let caller = Caller::platform("jobs");
        let promise = async |tx: &Tx| {
            for (kind, every) in &periodic {
                periodic::promise(tx, kind, *every).await?;
            }
            Ok::<_, Problem>(())
        };
        if !periodic.is_empty() {
            self.shared.db.write(&caller, promise).boxed().await?;
        }
        self.promised = Some(Instant::now());
        Ok(())
    }

    /// Between a half and the whole.
    fn jittered(&self, wait: Duration) -> Duration {
        wait.mul_f64(0.5 + self.shared.db.random().fraction() / 2.0)
    }
}

/// Runs one attempt and hands on what it came to.
async fn attempt(
    shared: Arc<Shared>,
    kind: &'static str,
    handler: Arc<dyn Handler>,
    claimed: Claimed,
    stop: tokio::sync::watch::Receiver<Stop>,
    settlements: mpsc::Sender<Settlement>,
) {
    let (hold, failures) = (claimed.hold, claimed.failures);
    let run = Run::new(shared.db.clone(), claimed, stop);
    let timeout = handler.timeout().unwrap_or_else(|| shared.config.timeout());
    let running = metrics::gauge!("holdfast_jobs_running", "kind" => kind);
    running.increment(1.0);
    let began = Instant::now();
    let outcome = execute(&*handler, &run, timeout, shared.config.drain()).await;
    metrics::histogram!("holdfast_jobs_duration_seconds", "kind" => kind).record(began.elapsed());
    running.decrement(1.0);
    let settlement = Settlement { hold, kind, outcome, failures, every: handler.every() };
    if settlements.send(settlement).await.is_err() {
        tracing::error!(job = %hold.job, "an attempt ended after the process did; it will be repeated");
    }
}
