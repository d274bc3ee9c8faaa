//! The budgets that replicas share, over the database: settled in the background, one transaction a round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gateway::{Allowances, Claim, KeyName, Settled};
use kernel::{Actor, Caller, Db, Mac, PermissionSet, Problem, RequestContext, SYSTEM_TENANT, Tx};

use crate::store::allowances;

/// A store that takes longer counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rounds between two looks for budgets that are whole again.
const TIDY: u32 = 300;

/// Budgets in the database.
pub struct AllowanceRows {
    db: Db,
    names: Mac,
    /// Names this process among the replicas.
    replica: Arc<str>,
    away: AtomicBool,
    rounds: AtomicU32,
}

impl AllowanceRows {
    /// The budgets in this database, for one more replica.
    pub fn new(db: Db) -> Self {
        let names = db.keys().mac("edge allowance");
        let replica = db.random().uuid().to_string().into();
        Self { db, names, replica, away: AtomicBool::new(false), rounds: AtomicU32::new(0) }
    }

    async fn write(&self, claims: &[Claim]) -> Result<Settled, Problem> {
        let tidy = self.rounds.fetch_add(1, Ordering::Relaxed).is_multiple_of(TIDY);
        let request = RequestContext::new("edge allowances", PATIENCE);
        let actor = Actor::System { name: "edge" };
        let caller = Caller::new(actor, SYSTEM_TENANT, PermissionSet::default(), request);
        self.db
            .write(&caller, async |tx: &Tx| {
                allowances::turn(tx).await?;
                let mut grants = Vec::with_capacity(claims.len());
                for claim in claims {
                    grants.push(allowances::settle(tx, claim).await?);
                }
                if tidy {
                    allowances::forget(tx).await?;
                }
                let replicas = allowances::seen(tx, &self.replica).await?;
                Ok(Settled { grants, replicas })
            })
            .await
    }
}

impl Allowances for AllowanceRows {
    fn name(&self, limit: &str, key: &[u8]) -> KeyName {
        let tag = self.names.tag(&[limit.as_bytes(), key]);
        std::array::from_fn(|at| tag[at])
    }

    fn settle<'a>(&'a self, claims: &'a [Claim]) -> BoxFuture<'a, Option<Settled>> {
        async move {
            let settled = self.write(claims).await;
            let away = settled.is_err();
            match (&settled, self.away.swap(away, Ordering::Relaxed)) {
                (Err(problem), false) => tracing::warn!(?problem, "limits that replicas share go by local shares"),
                (Ok(_), true) => tracing::info!("limits are shared among replicas again"),
                _ => {}
            }
            settled.ok()
        }
        .boxed()
    }
}
