//! Purges of the cache, in the order in which every process does them.

use chrono::{DateTime, Utc};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;

use crate::model::CachePurge;

/// Those who purge take turns (PostgreSQL), so that numbers become visible in their order; the number names the lock.
const TURN: i64 = 0x6564_6765_0003;
/// How many are read at once.
const MOST: i64 = 200;

const LATEST: &str = "SELECT COALESCE(MAX(number), 0) AS number FROM edge_purge";
const INSERT: &str = "INSERT INTO edge_purge (number, what, purged_at) VALUES ($1, $2, $3)";
const FORGET: &str = "DELETE FROM edge_purge WHERE purged_at < $1 AND number < $2";
const AFTER: &str = "SELECT number, what FROM edge_purge WHERE number > $1 ORDER BY number LIMIT $2";

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

#[derive(FromQueryResult)]
struct Row {
    number: i64,
    what: String,
}

/// The number of the last one; 0 before the first.
pub(crate) async fn latest(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Number> = tx.one(LATEST, []).await?;
    Ok(row.map_or(0, |row| row.number))
}

/// Adds one, forgets those before `bound`, and tells its number.
pub(crate) async fn insert(tx: &Tx, purge: &CachePurge, bound: DateTime<Utc>) -> Result<i64, Problem> {
    tx.lock(TURN).await?;
    let number = latest(tx).await? + 1;
    let what = serde_json::to_string(purge).map_err(Problem::internal)?;
    tx.execute(INSERT, [number.into(), what.into(), tx.now().into()]).await?;
    tx.execute(FORGET, [bound.into(), number.into()]).await?;
    Ok(number)
}

/// Those after this one, the earliest first, as many as are read at once.
pub(crate) async fn after(tx: &Tx, number: i64) -> Result<Vec<(i64, CachePurge)>, Problem> {
    let rows: Vec<Row> = tx.all(AFTER, [number.into(), MOST.into()]).await?;
    let read = |row: Row| Ok((row.number, serde_json::from_str(&row.what).map_err(Problem::internal)?));
    rows.into_iter().map(read).collect()
}
