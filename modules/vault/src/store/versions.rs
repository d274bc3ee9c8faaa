//! Versions of documents.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::model::{DocumentId, VersionId};

const COLUMNS: &str = "id, document_id, number, size, key_version, sealed, created_by, created_at";
const INSERT: &str = "INSERT INTO vault_version \
     (tenant_id, id, document_id, number, size, key_version, sealed, created_by, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// A version whose words are still sealed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct VersionRow {
    pub(crate) id: VersionId,
    pub(crate) document_id: DocumentId,
    pub(crate) number: i64,
    pub(crate) size: i64,
    pub(crate) key_version: i32,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_by: Option<AccountId>,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: VersionId,
}

#[derive(FromQueryResult)]
struct Found {
    tenant_id: TenantId,
    id: VersionId,
}

/// One version of a document.
pub(crate) async fn find(tx: &Tx, document: DocumentId, id: VersionId) -> Result<Option<VersionRow>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM vault_version WHERE tenant_id = $1 AND document_id = $2 AND id = $3");
    Ok(tx.one(&sql, [tx.tenant().into(), document.into(), id.into()]).await?)
}

/// A page of a document's versions.
pub(crate) async fn list(tx: &Tx, document: DocumentId, request: &ListRequest) -> Result<Vec<VersionRow>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("vault_version"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("document_id").eq(document.uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(VersionRow::from_query_result(row, "")?)).collect()
}

/// Adds a version.
pub(crate) async fn insert(tx: &Tx, row: &VersionRow) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        row.document_id.into(),
        row.number.into(),
        row.size.into(),
        row.key_version.into(),
        row.sealed.clone().into(),
        row.created_by.map(kernel::Id::uuid).into(),
        row.created_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// The ids of all versions of a document.
pub(crate) async fn ids(tx: &Tx, document: DocumentId) -> Result<Vec<VersionId>, Problem> {
    let sql = "SELECT id FROM vault_version WHERE tenant_id = $1 AND document_id = $2";
    let rows: Vec<IdRow> = tx.all(sql, [tx.tenant().into(), document.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Which of these versions, of whatever tenants, there are.
pub(crate) async fn known(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(TenantId, VersionId)>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust("tenant_id, id"))
        .from(Alias::new("vault_version"))
        .and_where(Expr::cust("id").is_in(ids.iter().copied()));
    let rows = tx.conn().query_all(&select).await?;
    rows.iter()
        .map(|row| {
            let row = Found::from_query_result(row, "")?;
            Ok((row.tenant_id, row.id))
        })
        .collect()
}
