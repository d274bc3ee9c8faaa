//! House-keeping across modules: old idempotency keys, events and jobs; what a tenant leaves behind.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use events::{Event, Subscriber};
use jobs::{Handler, Run};
use kernel::{Caller, Db, Problem, Tx};

/// How long events stay in the log, and ended jobs in the list, at least.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Removes what is past its time, once an hour.
pub struct Prune {
    db: Db,
}

impl Prune {
    /// A handler over this database.
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Handler for Prune {
    fn kind(&self) -> &'static str {
        "system.prune"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(3600))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let now = self.db.clock().now();
        let keys = self.until_none(run, async |tx| kernel::prune_idempotency(tx, now).await).await?;
        let events = self.until_none(run, async |tx| events::prune(tx, now - KEPT).await).await?;
        let jobs = self.until_none(run, async |tx| jobs::prune(tx, now - KEPT).await).await?;
        tracing::info!(keys, events, jobs, "removed what was past its time");
        Ok(())
    }
}

/// Removes the trail and the jobs of a tenant that was purged: their modules know of no tenants, and their rows have no
/// other end. Its events go with their age.
pub struct Farewell;

#[async_trait]
impl Subscriber for Farewell {
    fn name(&self) -> &'static str {
        "system.farewell"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["tenancy.tenant_purged"]
    }

    async fn handle(&self, tx: &Tx, _event: &Event) -> Result<(), Problem> {
        jobs::forget(tx).await?;
        audit::forget(tx).await
    }
}

impl Prune {
    /// Repeats a bounded removal, each in a transaction of its own, until nothing is left to remove or the process
    /// stops. Returns how many went.
    async fn until_none<F>(&self, run: &Run, step: F) -> Result<u64, Problem>
    where
        F: AsyncFnOnce(&Tx) -> Result<u64, Problem> + Clone,
    {
        let mut all = 0;
        while !run.is_cancelled() {
            let caller = Caller::platform("system.prune");
            match self.db.write(&caller, step.clone()).await? {
                0 => break,
                some => all += some,
            }
        }
        Ok(all)
    }
}
