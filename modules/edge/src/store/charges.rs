//! What was taken of issuers' limits: counted exactly, over a window that moves.

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{Charge, Granted};
use kernel::Tx;
use sea_orm::FromQueryResult;

use crate::certificates::Fault;

/// All who charge take turns: the number names the lock.
const TURN: i64 = 0x6564_6765_0001;

const EXPIRE: &str = "DELETE FROM edge_charge WHERE bucket = $1 AND taken_at <= $2";
const COUNT: &str = "SELECT COUNT(*) AS count FROM edge_charge WHERE bucket = $1";
const NTH: &str = "SELECT taken_at FROM edge_charge WHERE bucket = $1 ORDER BY taken_at, number LIMIT 1 OFFSET $2";
const TAKE: &str = "INSERT INTO edge_charge (bucket, taken_at) VALUES ($1, $2)";

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

#[derive(FromQueryResult)]
struct Taken {
    taken_at: DateTime<Utc>,
}

/// Takes all or none.
pub(crate) async fn charge(tx: &Tx, charges: &[Charge], now: DateTime<Utc>) -> Result<Granted, Fault> {
    tx.lock(TURN).await?;
    let mut latest = None;
    for charge in charges {
        let refused = frees_at(tx, charge, now).await?.map(|at| (at, charge.bucket.clone()));
        latest = latest.max(refused);
    }
    if let Some((at, bucket)) = latest {
        return Ok(Granted::NotBefore { at, bucket });
    }
    note(tx, charges, now).await?;
    Ok(Granted::Yes)
}

/// When the bucket has a place for one more; `None` if it has now.
async fn frees_at(tx: &Tx, charge: &Charge, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Fault> {
    let window = TimeDelta::from_std(charge.window).unwrap_or(TimeDelta::days(36_500));
    tx.execute(EXPIRE, [charge.bucket.as_str().into(), (now - window).into()]).await?;
    let row: Option<Count> = tx.one(COUNT, [charge.bucket.as_str().into()]).await?;
    let excess = row.map_or(0, |row| row.count) + 1 - i64::from(charge.limit);
    if excess <= 0 {
        return Ok(None);
    }
    let row: Option<Taken> = tx.one(NTH, [charge.bucket.as_str().into(), (excess - 1).into()]).await?;
    Ok(row.map(|row| row.taken_at + window))
}

/// Takes whatever the limits say.
pub(crate) async fn note(tx: &Tx, charges: &[Charge], now: DateTime<Utc>) -> Result<(), Fault> {
    for charge in charges {
        for _ in 0..charge.take {
            tx.execute(TAKE, [charge.bucket.as_str().into(), now.into()]).await?;
        }
    }
    Ok(())
}
