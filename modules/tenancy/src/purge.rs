//! The end of a tenant's data, when the grace of its deletion is over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit::Entry;
use jobs::{Handler, JobId, Run};
use kernel::{Caller, Problem, TenantId, Tx};
use serde::{Deserialize, Serialize};

use crate::Tenancy;
use crate::announce::announce;
use crate::model::TenantState;
use crate::store;
use crate::tenants::target;

/// The job that purges a tenant.
pub(crate) const PURGE_JOB: &str = "tenancy.purge_tenant";
/// How long to wait when this process's clock is behind that of the one which began the job.
const EARLY: Duration = Duration::from_secs(5);
const PURGED: &str = "tenancy.tenant_purged";

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Purge {
    pub(crate) tenant_id: TenantId,
}

/// How a purge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The tenant is gone, now or since an earlier attempt.
    Gone,
    /// It was restored meanwhile.
    Kept,
}

struct PurgeTenant(Tenancy);

#[async_trait]
impl Handler for PurgeTenant {
    fn kind(&self) -> &'static str {
        PURGE_JOB
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let purge: Purge = serde_json::from_value(run.payload.clone()).map_err(Problem::internal)?;
        let outcome = self.0.purge(purge.tenant_id, run.job).await?;
        let caller = run.caller();
        run.settle_with(async |tx| match outcome {
            Outcome::Kept => Ok(()),
            // The operators' own trail, which outlives the tenant's.
            Outcome::Gone => {
                let entry = Entry::success(PURGED).target("tenant", purge.tenant_id.to_string());
                audit::append(tx, &caller, entry).await
            }
        })
        .await
    }
}

impl Tenancy {
    /// The jobs of this module.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(PurgeTenant(self.clone()))]
    }

    /// What this module does when something happens elsewhere: nothing yet.
    pub fn subscribers(&self) -> Vec<Arc<dyn events::Subscriber>> {
        Vec::new()
    }

    /// Deletes the rows of a tenant whose time has come and tells the others, in the tenant's own scope, so that they
    /// clean up in it.
    pub(crate) async fn purge(&self, tenant: TenantId, job: JobId) -> Result<Outcome, Problem> {
        let caller = Caller::system("tenancy", tenant);
        self.db()
            .write(&caller, async |tx: &Tx| {
                let Some(kept) = store::tenants::find_for_update(tx, self.config(), tenant).await? else {
                    return Ok(Outcome::Gone);
                };
                // Restored, or restored and deleted again: then another job comes for it.
                if kept.tenant.state != TenantState::Deleting || kept.purge_job != Some(job) {
                    return Ok(Outcome::Kept);
                }
                if kept.tenant.purge_at.is_none_or(|at| at > tx.now()) {
                    return Err(Problem::unavailable("tenancy.purge_too_early", "Its time has not come yet.", EARLY));
                }
                self.release_all(tx, &caller).await?;
                store::tenants::purge(tx).await?;
                announce(tx, &caller, PURGED, target(&kept.tenant), &kept.tenant).await?;
                Self::changed(tx, tenant);
                Ok(Outcome::Gone)
            })
            .await
    }
}
