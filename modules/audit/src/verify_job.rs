//! Verifying in the background: for trails that take longer than a client waits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use jobs::{Handler, Job, NewJob, Run};
use kernel::{Caller, Db, Kind, Problem};
use serde_json::json;

use crate::audit::{Audit, READ, verified};
use crate::entry;
use crate::error::Error;
use crate::model::Verification;
use crate::verify::Check;

const KIND: &str = "audit.verify";
/// Long enough for a trail of many millions of entries.
const TIMEOUT: Duration = Duration::from_hours(2);

impl Audit {
    /// Has the tenant's trail verified in the background. The finding is in the job's progress and on record. While
    /// one such job waits or runs, that one is returned.
    ///
    /// # Errors
    /// The caller lacks [`READ`].
    pub async fn start_verification(&self, caller: &Caller) -> Result<Job, Error> {
        caller.require(READ)?;
        self.db
            .write_once(caller, "audit.start_verification", &(), async |tx| {
                let asked = json!({ "asked_by": { "kind": caller.actor.kind(), "id": caller.actor.id() } });
                let id = jobs::enqueue(tx, NewJob::new(KIND, asked).unique(KIND)).await?;
                let job = jobs::find(tx, id).await?;
                Ok(job.ok_or_else(|| Problem::internal("a job that was just made is missing"))?)
            })
            .await
    }

    /// Does what [`Self::start_verification`] asks for; to be registered with the jobs.
    pub fn verify_job(&self) -> Arc<dyn Handler> {
        Arc::new(VerifyJob { db: self.db.clone() })
    }
}

struct VerifyJob {
    db: Db,
}

#[async_trait]
impl Handler for VerifyJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn timeout(&self) -> Option<Duration> {
        Some(TIMEOUT)
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let mut check = Check::begin(&self.db, &run.caller()).await?;
        let size = check.size();
        while check.page(&self.db, &run.caller()).await? {
            if run.is_cancelled() {
                return Err(Problem::new(Kind::Conflict, "audit.verification_cancelled", "The check was called off."));
            }
            if check.done() < size {
                run.progress(check.done(), size, "Verifying.").await?;
            }
        }
        let found = check.finding(&self.db);
        run.progress(size, size, &note(&found)).await?;
        settle(run, &found).await
    }
}

/// Writes the finding down; the job is done when that is, and not without it.
async fn settle(run: &Run, found: &Verification) -> Result<(), Problem> {
    let mut entry = verified(found).target("job", run.job);
    entry.details["asked_by"] = run.payload["asked_by"].clone();
    let caller = run.caller();
    let write = run.settle_with(async move |tx| entry::append(tx, &caller, entry.clone()).await);
    write.boxed().await
}

/// The finding in a line.
fn note(found: &Verification) -> String {
    match &found.first_bad {
        None => format!("All {} entries are in order; root {}.", found.checked, found.root_hash),
        Some(bad) => match bad.sequence {
            Some(number) => format!("NOT IN ORDER at entry {number}: {}", bad.reason),
            None => format!("NOT IN ORDER: {}", bad.reason),
        },
    }
}
