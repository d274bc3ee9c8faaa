//! Budgets in the database: one transaction a round.

use std::sync::atomic::{AtomicU32, Ordering};

use gateway::{Claim, Settled};
use kernel::{Actor, Caller, Db, PermissionSet, Problem, RequestContext, SYSTEM_TENANT, Tx};

use super::{Away, PATIENCE};
use crate::store::allowances;

/// Rounds between two looks for budgets that are whole again.
const TIDY: u32 = 300;

/// Budgets in the database.
pub(super) struct Rows {
    db: Db,
    replica: String,
    rounds: AtomicU32,
}

impl Rows {
    pub(super) fn new(db: Db, replica: String) -> Self {
        Self { db, replica, rounds: AtomicU32::new(0) }
    }

    pub(super) async fn settle(&self, claims: &[Claim]) -> Result<Settled, Away> {
        let settled = self.write(claims).await;
        settled.map_err(|problem| Away(format!("{}: {}", problem.code, problem.detail)))
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
                    grants.push(Some(allowances::settle(tx, claim).await?));
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
