//! What happened to a name's certificate.

use edge_certificates::{Entry, Name};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;

use crate::certificates::Fault;

/// Entries kept of each name.
const KEPT: i64 = 64;

const LAST: &str = "SELECT COALESCE(MAX(number), 0) AS number FROM edge_timeline WHERE name = $1";
const APPEND: &str = "INSERT INTO edge_timeline (name, number, owner, entry) VALUES ($1, $2, $3, $4)";
const TRIM: &str = "DELETE FROM edge_timeline WHERE name = $1 AND number <= $2";
/// Those of an earlier owner are not the present one's to see.
const LATEST: &str = "SELECT t.entry AS entry FROM edge_timeline t JOIN edge_name n ON n.name = t.name \
     AND n.owner = t.owner WHERE t.name = $1 ORDER BY t.number DESC LIMIT $2";

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

#[derive(FromQueryResult)]
struct Row {
    entry: String,
}

/// Appends entries, and lets the oldest go.
pub(super) async fn append(tx: &Tx, name: &Name, owner: &str, entries: &[Entry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let last: Option<Number> = tx.one(LAST, [name.as_str().into()]).await?;
    let mut number = last.map_or(0, |row| row.number);
    for entry in entries {
        number += 1;
        let entry = serde_json::to_string(entry).map_err(Problem::internal)?;
        tx.execute(APPEND, [name.as_str().into(), number.into(), owner.into(), entry.into()]).await?;
    }
    tx.execute(TRIM, [name.as_str().into(), (number - KEPT).into()]).await?;
    Ok(())
}

/// The latest entries, newest first.
pub(crate) async fn latest(tx: &Tx, name: &Name, limit: u32) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<Row> = tx.all(LATEST, [name.as_str().into(), i64::from(limit).into()]).await?;
    let read = |row: Row| serde_json::from_str(&row.entry).map_err(|error| Problem::internal(error).into());
    rows.into_iter().map(read).collect()
}
