//! Numbers entries after their commit and lets the trees grow. However many processes run it, one works at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Caller, Db, Problem, Tasks, TenantId, Tx};

use crate::head::{HeadFault, HeadKey};
use crate::store::{self, Pending, Standing};

/// Rings when an entry was written.
pub(crate) const BELL: &str = "audit";
/// The most entries that are numbered in one transaction.
const BATCH: usize = 512;
/// The number under which sequencers take turns (PostgreSQL): "audit" in ASCII.
const TURN: i64 = 0x61_75_64_69_74;
/// How long entries gather after the bell, so that one batch serves many.
const GATHER: Duration = Duration::from_millis(20);
/// How often it looks without a bell, at the longest; half of it at the shortest.
const POLL: Duration = Duration::from_secs(4);
/// How long a trail whose head does not hold is left alone before the next look.
const SHUNNED: u32 = 30;

/// Why a batch was not numbered.
enum Stop {
    /// This trail's head does not hold. Going on would give a forged past the blessing of the next tag.
    Refused(TenantId, HeadFault),
    Kernel(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

/// The loop.
pub(crate) struct Sequencer {
    db: Db,
    key: HeadKey,
    /// Tenants whose trail is left alone, and for how many polls.
    shunned: BTreeMap<TenantId, u32>,
}

impl Sequencer {
    pub(crate) fn new(db: Db) -> Self {
        let key = HeadKey::new(db.keys());
        Self { db, key, shunned: BTreeMap::new() }
    }

    /// Numbers entries until the process stops.
    pub(crate) async fn run(mut self, tasks: Tasks) {
        let bell = self.db.signals().bell(BELL);
        loop {
            if let Err(problem) = self.drain().await {
                tracing::warn!(?problem, "the audit trail was not numbered; trying again");
            }
            let poll = POLL.mul_f64(0.5 + 0.5 * self.db.random().fraction());
            tokio::select! {
                () = bell.notified() => {}
                _ = tasks.pause(poll) => self.forgive(),
            }
            if !tasks.pause(GATHER).await {
                return;
            }
        }
    }

    /// Numbers all that is pending.
    ///
    /// # Errors
    /// The database is away, or another fault; what was numbered before stays.
    pub(crate) async fn drain(&mut self) -> Result<(), Problem> {
        loop {
            let left_out: Vec<TenantId> = self.shunned.keys().copied().collect();
            let key = &self.key;
            let caller = Caller::platform("audit");
            let batch = self.db.write(&caller, async |tx| batch(tx, key, &left_out).await).await;
            match batch {
                Ok(BATCH) => {}
                Ok(_) => return Ok(()),
                Err(Stop::Refused(tenant, fault)) => self.shun(tenant, fault),
                Err(Stop::Kernel(problem)) => return Err(problem),
            }
        }
    }

    fn shun(&mut self, tenant: TenantId, fault: HeadFault) {
        tracing::error!(%tenant, reason = fault.reason(), "the audit trail was tampered with; it is not extended");
        metrics::counter!("holdfast_audit_refused_total").increment(1);
        self.shunned.insert(tenant, SHUNNED);
    }

    fn forgive(&mut self) {
        self.shunned.retain(|_, polls| {
            *polls -= 1;
            *polls > 0
        });
    }
}

/// Removes the whole trail of the transaction's tenant, which is gone; between two batches, so that none is numbered
/// that was removed.
///
/// # Errors
/// What the database says.
pub async fn forget(tx: &Tx) -> Result<(), Problem> {
    tx.lock(TURN).await?;
    store::forget(tx).await
}

/// Numbers one batch; returns its size.
async fn batch(tx: &Tx, key: &HeadKey, left_out: &[TenantId]) -> Result<usize, Stop> {
    tx.lock(TURN).await.map_err(Problem::from)?;
    let pending = store::pending(tx, BATCH, left_out).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let mut by_tenant: BTreeMap<TenantId, Vec<&Pending>> = BTreeMap::new();
    pending.iter().for_each(|entry| by_tenant.entry(entry.tenant_id).or_default().push(entry));
    let tenants: Vec<TenantId> = by_tenant.keys().copied().collect();

    let mut numbers = Vec::with_capacity(pending.len());
    for Standing { tenant, head, last } in store::standings(tx, &tenants).await? {
        let refused = |fault| Stop::Refused(tenant, fault);
        let mut tree = key.open(tenant, head.as_ref(), last).map_err(refused)?;
        for entry in by_tenant.remove(&tenant).unwrap_or_default() {
            let number = i64::try_from(tree.size()).map_err(Problem::internal)?;
            numbers.push((entry.id, number));
            let leaf = entry.leaf_hash.as_slice().try_into();
            tree.push(leaf.map_err(|_| refused(HeadFault::Leaf))?);
        }
        store::save_head(tx, tenant, key.seal(tenant, &tree)).await?;
    }
    if store::number(tx, &numbers).await? != pending.len() as u64 {
        return Err(Problem::internal("entries were numbered by somebody else").into());
    }
    metrics::counter!("holdfast_audit_numbered_total").increment(pending.len() as u64);
    Ok(pending.len())
}
