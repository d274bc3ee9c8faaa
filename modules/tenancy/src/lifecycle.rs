//! Suspending, resuming, deleting with grace, and restoring tenants. Operators only.

use chrono::TimeDelta;
use jobs::NewJob;
use kernel::{Caller, Expected, Problem, SYSTEM_TENANT, TenantId, Tx};
use serde::Serialize;

use crate::Tenancy;
use crate::announce::announce;
use crate::error::Error;
use crate::model::{SuspendTenant, Tenant, TenantState};
use crate::permissions::TENANTS_WRITE;
use crate::purge::{PURGE_JOB, Purge};
use crate::store;
use crate::store::tenants::Kept;
use crate::tenants::{operator, target};
use crate::words::parse_description;

/// How often a purge that fails is tried.
const PURGE_ATTEMPTS: u32 = 20;

impl Tenancy {
    /// Closes a tenant to its members; its data stays.
    ///
    /// # Errors
    /// [`Error::WrongState`] unless it is active, [`Error::SystemTenant`], the 404, or no [`TENANTS_WRITE`].
    pub async fn suspend_tenant(
        &self,
        caller: &Caller,
        id: TenantId,
        expected: Expected,
        suspend: SuspendTenant,
    ) -> Result<Tenant, Error> {
        let reason = suspend.reason.as_deref().map(parse_description).transpose()?;
        let step = Step::Suspend(reason.filter(|reason| !reason.is_empty()));
        self.transition(caller, id, expected, "tenancy.suspend_tenant", &suspend, step).await
    }

    /// Opens a suspended tenant again.
    ///
    /// # Errors
    /// [`Error::WrongState`] unless it is suspended, [`Error::SystemTenant`], the 404, or no [`TENANTS_WRITE`].
    pub async fn resume_tenant(&self, caller: &Caller, id: TenantId, expected: Expected) -> Result<Tenant, Error> {
        self.transition(caller, id, expected, "tenancy.resume_tenant", &(), Step::Resume).await
    }

    /// Closes a tenant and schedules the end of its data. Until then it can be restored.
    ///
    /// # Errors
    /// [`Error::WrongState`] when it is being deleted already, [`Error::SystemTenant`], the 404, or no
    /// [`TENANTS_WRITE`].
    pub async fn delete_tenant(&self, caller: &Caller, id: TenantId, expected: Expected) -> Result<Tenant, Error> {
        let grace = TimeDelta::days(self.config().deletion_grace_days.into());
        self.transition(caller, id, expected, "tenancy.delete_tenant", &(), Step::Delete(grace)).await
    }

    /// Takes a deletion back; the tenant is what it was before, active or suspended.
    ///
    /// # Errors
    /// [`Error::WrongState`] unless it is being deleted, the 404 once its data is gone, or no [`TENANTS_WRITE`].
    pub async fn restore_tenant(&self, caller: &Caller, id: TenantId, expected: Expected) -> Result<Tenant, Error> {
        self.transition(caller, id, expected, "tenancy.restore_tenant", &(), Step::Restore).await
    }

    /// One step of a tenant's life: `step` checks the state, changes it and names what happened.
    async fn transition<I: Serialize>(
        &self,
        caller: &Caller,
        id: TenantId,
        expected: Expected,
        operation: &'static str,
        input: &I,
        step: Step,
    ) -> Result<Tenant, Error> {
        let caller = operator(caller, TENANTS_WRITE)?;
        self.db()
            .write_once(&caller, operation, &(id, input), async |tx| {
                let kept = store::tenants::find_for_update(tx, self.config(), id).await?;
                let mut kept = kept.ok_or_else(Problem::not_found)?;
                if id == SYSTEM_TENANT {
                    return Err(Error::SystemTenant);
                }
                expected.check(kept.tenant.version)?;
                let action = step.take(tx, &mut kept).await?;
                store::tenants::update(tx, &mut kept).await?;
                announce(tx, &caller, action, target(&kept.tenant), &kept.tenant).await?;
                Self::changed(tx, id);
                Ok(kept.tenant)
            })
            .await
    }
}

/// A step of a tenant's life.
enum Step {
    Suspend(Option<String>),
    Resume,
    /// With the time until its data goes.
    Delete(TimeDelta),
    Restore,
}

impl Step {
    /// Checks the state, changes it and names what happened.
    async fn take(&self, tx: &Tx, kept: &mut Kept) -> Result<&'static str, Error> {
        match self {
            Self::Suspend(reason) => suspend(tx, kept, reason.clone()),
            Self::Resume => resume(kept),
            Self::Delete(grace) => delete(tx, kept, *grace).await,
            Self::Restore => restore(tx, kept).await,
        }
    }
}

fn suspend(tx: &Tx, kept: &mut Kept, reason: Option<String>) -> Result<&'static str, Error> {
    match kept.tenant.state {
        TenantState::Active => {}
        TenantState::Suspended => return Err(wrong(kept, "resume it first to suspend it for another reason")),
        TenantState::Deleting => return Err(wrong(kept, "it is closed already; restore it first")),
    }
    kept.tenant.state = TenantState::Suspended;
    kept.tenant.suspended_reason = reason;
    kept.suspended_at = Some(tx.now());
    Ok("tenancy.tenant_suspended")
}

fn resume(kept: &mut Kept) -> Result<&'static str, Error> {
    if kept.tenant.state != TenantState::Suspended {
        return Err(wrong(kept, "only a suspended tenant can be resumed"));
    }
    kept.tenant.state = TenantState::Active;
    kept.tenant.suspended_reason = None;
    kept.suspended_at = None;
    Ok("tenancy.tenant_resumed")
}

async fn delete(tx: &Tx, kept: &mut Kept, grace: TimeDelta) -> Result<&'static str, Error> {
    if kept.tenant.state == TenantState::Deleting {
        return Err(wrong(kept, "its data goes at purge_at; restore it to keep it"));
    }
    let purge_at = tx.now() + grace;
    let payload = serde_json::to_value(Purge { tenant_id: kept.tenant.id }).map_err(Problem::internal)?;
    let job = NewJob::new(PURGE_JOB, payload).at(purge_at).attempts(PURGE_ATTEMPTS);
    kept.purge_job = Some(jobs::enqueue(tx, job).await?);
    kept.tenant.state = TenantState::Deleting;
    kept.tenant.purge_at = Some(purge_at);
    Ok("tenancy.tenant_deletion_scheduled")
}

async fn restore(tx: &Tx, kept: &mut Kept) -> Result<&'static str, Error> {
    if kept.tenant.state != TenantState::Deleting {
        return Err(wrong(kept, "only a tenant that is being deleted can be restored"));
    }
    if kept.tenant.purge_at.is_none_or(|at| at <= tx.now()) {
        return Err(wrong(kept, "its grace is over, so it can't be restored"));
    }
    if let Some(job) = kept.purge_job.take() {
        jobs::cancel(tx, job).await?;
    }
    let suspended = kept.suspended_at.is_some();
    kept.tenant.state = if suspended { TenantState::Suspended } else { TenantState::Active };
    kept.tenant.purge_at = None;
    Ok("tenancy.tenant_restored")
}

fn wrong(kept: &Kept, hint: &'static str) -> Error {
    Error::WrongState(kept.tenant.state, hint)
}
