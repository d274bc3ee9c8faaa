//! Collections.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::CollectionId;
use crate::policy::Viewer;
use crate::store::visible;

const COLUMNS: &str = "vault_collection.id, vault_collection.owner_id, vault_collection.searchable, \
     vault_collection.key_version, vault_collection.sealed, vault_collection.created_at, \
     vault_collection.updated_at, vault_collection.version";
const INSERT: &str = "INSERT INTO vault_collection \
     (tenant_id, id, owner_id, searchable, name, key_version, sealed, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE vault_collection SET name = $3, sealed = $4, updated_at = $5, version = $6 \
     WHERE tenant_id = $1 AND id = $2";
const MARK: &str = "UPDATE vault_collection SET deleted_at = $3, updated_at = $3, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2";
const USED: &str = "SELECT \
     (SELECT COUNT(*) FROM vault_document WHERE tenant_id = $1 AND collection_id = $2 AND deleted_at IS NULL) + \
     (SELECT COUNT(*) FROM vault_record WHERE tenant_id = $1 AND collection_id = $2) AS count";
const TRASH: &str = "UPDATE vault_document SET purge_at = $3 \
     WHERE tenant_id = $1 AND collection_id = $2 AND deleted_at IS NOT NULL";
const EMPTIED: &str = "SELECT tenant_id, id FROM vault_collection c WHERE deleted_at IS NOT NULL AND NOT EXISTS \
     (SELECT 1 FROM vault_document d WHERE d.tenant_id = c.tenant_id AND d.collection_id = c.id) \
     ORDER BY deleted_at LIMIT $1";
const DELETE: &[&str] = &[
    "DELETE FROM vault_grant WHERE tenant_id = $1 AND collection_id = $2",
    "DELETE FROM vault_collection WHERE tenant_id = $1 AND id = $2",
];

/// A collection whose words are still sealed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct CollectionRow {
    pub(crate) id: CollectionId,
    pub(crate) owner_id: Option<AccountId>,
    pub(crate) searchable: bool,
    pub(crate) key_version: i32,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: CollectionId,
}

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

#[derive(FromQueryResult)]
struct Emptied {
    tenant_id: TenantId,
    id: CollectionId,
}

fn select(tx: &Tx, columns: &'static str) -> SelectStatement {
    let mut select = Query::select();
    select
        .expr(Expr::cust(columns))
        .from(Alias::new("vault_collection"))
        .and_where(Expr::cust("vault_collection.tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("vault_collection.deleted_at IS NULL"));
    select
}

/// One collection.
pub(crate) async fn find(tx: &Tx, id: CollectionId) -> Result<Option<CollectionRow>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM vault_collection WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL");
    Ok(tx.one(&sql, [tx.tenant().into(), id.into()]).await?)
}

/// One collection that nobody else changes until the commit.
pub(crate) async fn find_for_update(tx: &Tx, id: CollectionId) -> Result<Option<CollectionRow>, Problem> {
    let lock = tx.engine().for_update();
    let sql =
        format!("SELECT {COLUMNS} FROM vault_collection WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL{lock}");
    Ok(tx.one(&sql, [tx.tenant().into(), id.into()]).await?)
}

/// A page of the collections that the viewer sees.
pub(crate) async fn list(tx: &Tx, viewer: &Viewer, request: &ListRequest) -> Result<Vec<CollectionRow>, Problem> {
    let mut select = select(tx, COLUMNS);
    select.cond_where(visible::collections(viewer));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(CollectionRow::from_query_result(row, "")?)).collect()
}

/// The ids of all collections that the viewer sees.
pub(crate) async fn visible_ids(tx: &Tx, viewer: &Viewer) -> Result<Vec<CollectionId>, Problem> {
    let mut select = select(tx, "vault_collection.id");
    select.cond_where(visible::collections(viewer));
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(IdRow::from_query_result(row, "")?.id)).collect()
}

/// Adds a collection; `name` is in the clear, for a searchable one only.
pub(crate) async fn insert(tx: &Tx, row: &CollectionRow, name: Option<&str>) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        row.owner_id.map(kernel::Id::uuid).into(),
        row.searchable.into(),
        name.map(str::to_owned).into(),
        row.key_version.into(),
        row.sealed.clone().into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Writes what can change of a collection.
pub(crate) async fn update(tx: &Tx, row: &CollectionRow, name: Option<&str>) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        name.map(str::to_owned).into(),
        row.sealed.clone().into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    tx.execute(UPDATE, values).await?;
    Ok(())
}

/// How many documents that are not deleted, and records, it holds.
pub(crate) async fn used(tx: &Tx, id: CollectionId) -> Result<i64, Problem> {
    let count: Option<Count> = tx.one(USED, [tx.tenant().into(), id.into()]).await?;
    Ok(count.map_or(0, |count| count.count))
}

/// Marks a collection as deleted, and what is in its trash as due.
pub(crate) async fn mark_deleted(tx: &Tx, id: CollectionId) -> Result<(), Problem> {
    for sql in [MARK, TRASH] {
        tx.execute(sql, [tx.tenant().into(), id.into(), tx.now().into()]).await?;
    }
    Ok(())
}

/// Collections of all tenants that were deleted and hold nothing any more.
pub(crate) async fn emptied(tx: &Tx, limit: i64) -> Result<Vec<(TenantId, CollectionId)>, Problem> {
    let rows: Vec<Emptied> = tx.all(EMPTIED, [limit.into()]).await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).collect())
}

/// Deletes a collection's rows, but for its key.
pub(crate) async fn delete(tx: &Tx, id: CollectionId) -> Result<(), Problem> {
    for sql in DELETE {
        tx.execute(sql, [tx.tenant().into(), id.into()]).await?;
    }
    Ok(())
}
