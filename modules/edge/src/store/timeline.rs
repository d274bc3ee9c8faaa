//! What happened to a name's certificate.

use edge_certificates::{Entry, Name};
use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::certificates::Fault;
use crate::model::CertificateStep;

/// Entries kept of each name.
const KEPT: i64 = 64;

const LAST: &str = "SELECT COALESCE(MAX(number), 0) AS number FROM edge_timeline WHERE name = $1";
const APPEND: &str = "INSERT INTO edge_timeline (name, number, owner, entry) VALUES ($1, $2, $3, $4)";
const TRIM: &str = "DELETE FROM edge_timeline WHERE name = $1 AND number <= $2";
/// Those of an earlier owner are not the present one's to see.
const LATEST: &str = "SELECT t.entry AS entry FROM edge_timeline t JOIN edge_name n ON n.name = t.name \
     AND n.owner = t.owner WHERE t.name = $1 ORDER BY t.number DESC LIMIT $2";

const FORGET: &str = "DELETE FROM edge_timeline WHERE owner = $1";

#[derive(FromQueryResult)]
struct StepRow {
    number: i64,
    entry: String,
}

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

/// A page of what happened to a name while it was this owner's.
pub(crate) async fn list(
    tx: &Tx,
    request: &ListRequest,
    name: &Name,
    owner: &str,
) -> Result<Vec<CertificateStep>, Problem> {
    let mut select = Query::select()
        .columns(["number", "entry"].map(Alias::new))
        .from("edge_timeline")
        .and_where(Expr::col("name").eq(name.as_str()))
        .and_where(Expr::col("owner").eq(owner))
        .to_owned();
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let step = |row: &_| {
        let row = StepRow::from_query_result(row, "")?;
        Ok(CertificateStep::new(row.number, serde_json::from_str(&row.entry).map_err(Problem::internal)?))
    };
    rows.iter().map(step).collect()
}

/// Forgets what happened to an owner's names.
pub(crate) async fn forget(tx: &Tx, owner: &str) -> Result<(), Fault> {
    tx.execute(FORGET, [owner.into()]).await?;
    Ok(())
}
