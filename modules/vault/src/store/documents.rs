//! Documents. Each row comes with what its collection says about who may read it.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::{CollectionId, DocumentId, VersionId};
use crate::policy::Viewer;
use crate::store::visible;

const COLUMNS: &str = "vault_document.id, vault_document.collection_id, vault_document.owner_id, \
     vault_document.size, vault_document.current_id, vault_document.key_version, vault_document.sealed, \
     vault_document.deleted_at, vault_document.purge_at, vault_document.created_at, vault_document.updated_at, \
     vault_document.version, vault_collection.owner_id AS collection_owner_id, vault_collection.searchable";
const FROM: &str = "FROM vault_document JOIN vault_collection \
     ON vault_collection.tenant_id = vault_document.tenant_id AND vault_collection.id = vault_document.collection_id";
const INSERT: &str = "INSERT INTO vault_document \
     (tenant_id, id, collection_id, owner_id, name, media_type, size, current_id, key_version, sealed, created_at, \
     updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 1)";
const UPDATE: &str = "UPDATE vault_document SET name = $3, media_type = $4, size = $5, current_id = $6, sealed = $7, \
     deleted_at = $8, purge_at = $9, updated_at = $10, version = $11 WHERE tenant_id = $1 AND id = $2";
const DUE: &str = "SELECT tenant_id, id FROM vault_document WHERE purge_at IS NOT NULL AND purge_at <= $1 \
     ORDER BY purge_at LIMIT $2";

/// A document whose words are still sealed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct DocumentRow {
    pub(crate) id: DocumentId,
    pub(crate) collection_id: CollectionId,
    pub(crate) owner_id: Option<AccountId>,
    pub(crate) collection_owner_id: Option<AccountId>,
    pub(crate) searchable: bool,
    pub(crate) size: i64,
    pub(crate) current_id: VersionId,
    pub(crate) key_version: i32,
    pub(crate) sealed: Vec<u8>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) purge_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

/// What a searchable document says in the clear, so that lists can be filtered by it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clear<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) media_type: Option<&'a str>,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: DocumentId,
}

#[derive(FromQueryResult)]
struct Due {
    tenant_id: TenantId,
    id: DocumentId,
}

fn select(tx: &Tx, columns: &'static str) -> SelectStatement {
    let joined = "vault_collection.tenant_id = vault_document.tenant_id \
         AND vault_collection.id = vault_document.collection_id";
    let mut select = Query::select();
    select
        .expr(Expr::cust(columns))
        .from(Alias::new("vault_document"))
        .join(JoinType::InnerJoin, Alias::new("vault_collection"), Expr::cust(joined))
        .and_where(Expr::cust("vault_document.tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("vault_collection.deleted_at IS NULL"));
    select
}

/// One document, deleted or not.
pub(crate) async fn find(tx: &Tx, id: DocumentId) -> Result<Option<DocumentRow>, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE vault_document.tenant_id = $1 AND vault_document.id = $2 \
         AND vault_collection.deleted_at IS NULL"
    );
    Ok(tx.one(&sql, [tx.tenant().into(), id.into()]).await?)
}

/// One document, whatever its collection is, that nobody else changes until the commit.
pub(crate) async fn find_for_update(tx: &Tx, id: DocumentId) -> Result<Option<DocumentRow>, Problem> {
    let lock = match tx.engine().for_update() {
        "" => String::new(),
        word => format!("{word} OF vault_document"),
    };
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE vault_document.tenant_id = $1 AND vault_document.id = $2{lock}");
    Ok(tx.one(&sql, [tx.tenant().into(), id.into()]).await?)
}

/// A page of the documents that the viewer sees: those that are there, or those that are deleted.
pub(crate) async fn list(
    tx: &Tx,
    viewer: &Viewer,
    request: &ListRequest,
    deleted: bool,
) -> Result<Vec<DocumentRow>, Problem> {
    let mut select = select(tx, COLUMNS);
    let state = if deleted { "vault_document.deleted_at IS NOT NULL" } else { "vault_document.deleted_at IS NULL" };
    select.and_where(Expr::cust(state)).cond_where(visible::documents(viewer));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(DocumentRow::from_query_result(row, "")?)).collect()
}

/// The ids of the documents that the viewer sees though not their whole collection.
pub(crate) async fn visible_alone(tx: &Tx, viewer: &Viewer) -> Result<Vec<DocumentId>, Problem> {
    let mut select = select(tx, "vault_document.id");
    select
        .and_where(Expr::cust("vault_document.deleted_at IS NULL"))
        .cond_where(visible::single_documents(viewer))
        .cond_where(Condition::all().add(visible::collections(viewer)).not());
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(IdRow::from_query_result(row, "")?.id)).collect()
}

/// Adds a document.
pub(crate) async fn insert(tx: &Tx, row: &DocumentRow, clear: Clear<'_>) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        row.collection_id.into(),
        row.owner_id.map(kernel::Id::uuid).into(),
        clear.name.map(str::to_owned).into(),
        clear.media_type.map(str::to_owned).into(),
        row.size.into(),
        row.current_id.into(),
        row.key_version.into(),
        row.sealed.clone().into(),
        row.created_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Writes what can change of a document.
pub(crate) async fn update(tx: &Tx, row: &DocumentRow, clear: Clear<'_>) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        row.id.into(),
        clear.name.map(str::to_owned).into(),
        clear.media_type.map(str::to_owned).into(),
        row.size.into(),
        row.current_id.into(),
        row.sealed.clone().into(),
        row.deleted_at.into(),
        row.purge_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    tx.execute(UPDATE, values).await?;
    Ok(())
}

/// Documents of all tenants whose grace is over.
pub(crate) async fn due(tx: &Tx, limit: i64) -> Result<Vec<(TenantId, DocumentId)>, Problem> {
    let rows: Vec<Due> = tx.all(DUE, [tx.now().into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).collect())
}
