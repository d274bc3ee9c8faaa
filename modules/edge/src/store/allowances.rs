//! Budgets of limits that replicas share, and the replicas.

use gateway::{Claim, Grant};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;

use crate::allowances::{self, SILENCE};

/// All who settle take turns: the number names the lock.
const TURN: i64 = 0x6564_6765_0002;

const WHOLE_AT: &str = "SELECT whole_at FROM edge_allowance WHERE limit_name = $1 AND key = $2";
const KEEP: &str = "INSERT INTO edge_allowance (limit_name, key, whole_at) VALUES ($1, $2, $3) \
     ON CONFLICT (limit_name, key) DO UPDATE SET whole_at = $3";
const FORGET: &str = "DELETE FROM edge_allowance WHERE whole_at <= $1";
const SEEN: &str = "INSERT INTO edge_replica (id, seen_at) VALUES ($1, $2) \
     ON CONFLICT (id) DO UPDATE SET seen_at = $2";
const GONE: &str = "DELETE FROM edge_replica WHERE seen_at < $1";
const COUNT: &str = "SELECT COUNT(*) AS count FROM edge_replica";

#[derive(FromQueryResult)]
struct Budget {
    whole_at: i64,
}

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// Waits for its turn.
pub(crate) async fn turn(tx: &Tx) -> Result<(), Problem> {
    Ok(tx.lock(TURN).await?)
}

/// Settles one account.
pub(crate) async fn settle(tx: &Tx, claim: &Claim) -> Result<Grant, Problem> {
    let row: Option<Budget> = tx.one(WHOLE_AT, [claim.limit.as_ref().into(), claim.key.to_vec().into()]).await?;
    let settled = allowances::settle(row.map(|row| row.whole_at), tx.now().timestamp_micros(), claim);
    if settled.changed {
        tx.execute(KEEP, [claim.limit.as_ref().into(), claim.key.to_vec().into(), settled.whole_at.into()]).await?;
    }
    Ok(settled.grant)
}

/// Forgets budgets that are whole again.
pub(crate) async fn forget(tx: &Tx) -> Result<(), Problem> {
    tx.execute(FORGET, [tx.now().timestamp_micros().into()]).await?;
    Ok(())
}

/// Notes that a replica is there; how many there are.
pub(crate) async fn seen(tx: &Tx, replica: &str) -> Result<u32, Problem> {
    let now = tx.now();
    tx.execute(SEEN, [replica.into(), now.timestamp_micros().into()]).await?;
    tx.execute(GONE, [(now - SILENCE).timestamp_micros().into()]).await?;
    let row: Option<Count> = tx.one(COUNT, []).await?;
    Ok(row.and_then(|row| u32::try_from(row.count).ok()).unwrap_or(1).max(1))
}
