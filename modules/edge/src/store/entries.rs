//! Routes and pools: names with bodies, and the version of them all.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, SqlErr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;

/// The number under which writers take turns (PostgreSQL): "routes" in ASCII.
const TURN: i64 = 0x72_6f_75_74_65_73;
const COLUMNS: [&str; 6] = ["id", "name", "body", "created_at", "updated_at", "version"];
const VERSION: &str = "SELECT version FROM edge_routing WHERE id = 1";
const GROW: &str = "UPDATE edge_routing SET version = version + 1 WHERE id = 1";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Routes,
    Pools,
}

impl Table {
    const fn sql(self) -> &'static str {
        match self {
            Self::Routes => "edge_route",
            Self::Pools => "edge_pool",
        }
    }
}

/// A row of either.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) body: Value,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    name: String,
    body: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Version {
    version: i64,
}

impl TryFrom<Row> for Entry {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let Row { id, name, body, created_at, updated_at, version } = row;
        let body = serde_json::from_str(&body).map_err(Problem::internal)?;
        Ok(Self { id, name, body, created_at, updated_at, version })
    }
}

/// One at a time from here to the end of the transaction.
pub(crate) async fn lock(tx: &Tx) -> Result<(), Problem> {
    Ok(tx.lock(TURN).await?)
}

/// The version of all rows.
pub(crate) async fn version(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Version> = tx.one(VERSION, []).await?;
    Ok(row.map_or(0, |row| row.version))
}

/// Notes that something changed.
pub(crate) async fn grow(tx: &Tx) -> Result<(), Problem> {
    tx.execute(GROW, []).await?;
    Ok(())
}

/// One row.
pub(crate) async fn find(tx: &Tx, table: Table, id: Uuid) -> Result<Option<Entry>, Problem> {
    let sql = format!("SELECT {} FROM {} WHERE id = $1", COLUMNS.join(", "), table.sql());
    let row: Option<Row> = tx.one(&sql, [id.into()]).await?;
    row.map(Entry::try_from).transpose()
}

/// All rows, by name.
pub(crate) async fn all(tx: &Tx, table: Table) -> Result<Vec<Entry>, Problem> {
    let sql = format!("SELECT {} FROM {} ORDER BY name", COLUMNS.join(", "), table.sql());
    let rows: Vec<Row> = tx.all(&sql, []).await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// A page of rows.
pub(crate) async fn list(tx: &Tx, table: Table, request: &ListRequest) -> Result<Vec<Entry>, Problem> {
    let mut select = Query::select().columns(COLUMNS.map(Alias::new)).from(Alias::new(table.sql())).to_owned();
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Row::from_query_result(row, "")?.try_into()).collect()
}

/// Adds a row.
pub(crate) async fn insert(tx: &Tx, table: Table, entry: &Entry) -> Result<(), Error> {
    let sql = format!("INSERT INTO {} ({}) VALUES ($1, $2, $3, $4, $4, 1)", table.sql(), COLUMNS.join(", "));
    let values = [entry.id.into(), entry.name.clone().into(), entry.body.to_string().into(), entry.created_at.into()];
    tx.execute(&sql, values).await.map(drop).map_err(|error| clash(error, &entry.name))
}

/// Changes a row.
pub(crate) async fn update(tx: &Tx, table: Table, entry: &Entry) -> Result<(), Error> {
    let sql = format!(
        "UPDATE {} SET name = $2, body = $3, updated_at = $4, version = version + 1 WHERE id = $1",
        table.sql()
    );
    let values = [entry.id.into(), entry.name.clone().into(), entry.body.to_string().into(), entry.updated_at.into()];
    tx.execute(&sql, values).await.map(drop).map_err(|error| clash(error, &entry.name))
}

/// Removes a row.
pub(crate) async fn delete(tx: &Tx, table: Table, id: Uuid) -> Result<(), Problem> {
    tx.execute(&format!("DELETE FROM {} WHERE id = $1", table.sql()), [id.into()]).await?;
    Ok(())
}

fn clash(error: DbErr, name: &str) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::NameTaken(name.to_owned()),
        _ => Problem::from(error).into(),
    }
}
