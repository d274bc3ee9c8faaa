//! Certificates as they were issued or withdrawn.

use edge_certificates::{Issued, Name, SealedCertificate};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;

use crate::certificates::Fault;

const FIND: &str = "SELECT name, version, sealed FROM edge_certificate WHERE name = $1";
const SINCE: &str = "SELECT name, version, sealed FROM edge_certificate WHERE version > $1 ORDER BY version LIMIT $2";
/// The row stays locked until the commit, so versions appear in their order.
const NEXT: &str = "INSERT INTO edge_head (id, version) VALUES (1, 1) \
     ON CONFLICT (id) DO UPDATE SET version = edge_head.version + 1 RETURNING version";
const PUT: &str = "INSERT INTO edge_certificate (name, version, sealed) VALUES ($1, $2, $3) \
     ON CONFLICT (name) DO UPDATE SET version = $2, sealed = $3";

#[derive(FromQueryResult)]
struct Row {
    name: String,
    version: i64,
    sealed: Option<Vec<u8>>,
}

#[derive(FromQueryResult)]
struct Head {
    version: i64,
}

impl TryFrom<Row> for Issued {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let name = Name::parse(&row.name).map_err(Problem::internal)?;
        Ok(Self { name, version: row.version.unsigned_abs(), sealed: row.sealed.map(SealedCertificate) })
    }
}

/// What a name has.
pub(crate) async fn find(tx: &Tx, name: &Name) -> Result<Option<Issued>, Fault> {
    let row: Option<Row> = tx.one(FIND, [name.as_str().into()]).await?;
    row.map(Issued::try_from).transpose()
}

/// What changed after this version, in order.
pub(crate) async fn since(tx: &Tx, cursor: u64, limit: u32) -> Result<Vec<Issued>, Fault> {
    let cursor = i64::try_from(cursor).unwrap_or(i64::MAX);
    let rows: Vec<Row> = tx.all(SINCE, [cursor.into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(Issued::try_from).collect()
}

/// From now on a name has this certificate; `None` withdraws it.
pub(crate) async fn put(tx: &Tx, name: &Name, sealed: Option<&SealedCertificate>) -> Result<(), Fault> {
    let head: Option<Head> = tx.one(NEXT, []).await?;
    let version = head.ok_or_else(|| Problem::internal("no version"))?.version;
    let sealed = sealed.map(|sealed| sealed.0.clone());
    tx.execute(PUT, [name.as_str().into(), version.into(), sealed.into()]).await?;
    Ok(())
}
