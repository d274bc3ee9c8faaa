//! Records. Each row comes with what its collection says about who may read it.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::{CollectionId, RecordId};
use crate::policy::Viewer;
use crate::store::visible;

const COLUMNS: &str = "vault_record.id, vault_record.collection_id, vault_record.owner_id, vault_record.key_version, \
     vault_record.sealed, vault_record.created_at, vault_record.updated_at, vault_record.version";
const FIND: &str = "FROM vault_record WHERE tenant_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO vault_record \
     (tenant_id, id, collection_id, owner_id, key_version, sealed, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE vault_record SET key_version = $3, sealed = $4, updated_at = $5, version = $6 \
     WHERE tenant_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM vault_record WHERE tenant_id = $1 AND id = $2";

/// A record whose content is still sealed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct RecordRow {
    pub(crate) id: RecordId,
    pub(crate) collection_id: CollectionId,
    pub(crate) owner_id: Option<AccountId>,
    pub(crate) key_version: i32,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

/// One record.
pub(crate) async fn find(tx: &Tx, id: RecordId) -> Result<Option<RecordRow>, Problem> {
    Ok(tx.one(&format!("SELECT {COLUMNS} {FIND}"), [tx.tenant().into(), id.into()]).await?)
}

/// One record that nobody else changes until the commit.
pub(crate) async fn find_for_update(tx: &Tx, id: RecordId) -> Result<Option<RecordRow>, Problem> {
    let sql = format!("SELECT {COLUMNS} {FIND}{}", tx.engine().for_update());
    Ok(tx.one(&sql, [tx.tenant().into(), id.into()]).await?)
}

/// A page of the records that the viewer sees.
pub(crate) async fn list(tx: &Tx, viewer: &Viewer, request: &ListRequest) -> Result<Vec<RecordRow>, Problem> {
    let joined = "vault_collection.tenant_id = vault_record.tenant_id \
         AND vault_collection.id = vault_record.collection_id";
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("vault_record"))
        .join(JoinType::InnerJoin, Alias::new("vault_collection"), Expr::cust(joined))
        .and_where(Expr::cust("vault_record.tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("vault_collection.deleted_at IS NULL"))
        .cond_where(visible::records(viewer));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(RecordRow::from_query_result(row, "")?)).collect()
}

/// Adds a record.
pub(crate) async fn insert(tx: &Tx, row: &RecordRow) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        row.collection_id.into(),
        row.owner_id.map(kernel::Id::uuid).into(),
        row.key_version.into(),
        row.sealed.clone().into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Writes what can change of a record.
pub(crate) async fn update(tx: &Tx, row: &RecordRow) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        row.key_version.into(),
        row.sealed.clone().into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    tx.execute(UPDATE, values).await?;
    Ok(())
}

/// Deletes a record.
pub(crate) async fn delete(tx: &Tx, id: RecordId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}
