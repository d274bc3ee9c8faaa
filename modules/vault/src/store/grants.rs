//! Grants.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};
use tenancy::RoleId;
use uuid::Uuid;

use crate::model::{Access, CollectionId, DocumentId, Grant, GrantId, SubjectKind};
use crate::policy::Viewer;
use crate::store::visible;

const COLUMNS: &str = "vault_grant.id, vault_grant.collection_id, vault_grant.document_id, vault_grant.subject_kind, \
     vault_grant.subject_id, vault_grant.access, vault_grant.valid_from, vault_grant.valid_until, \
     vault_grant.created_by, vault_grant.created_at";
const INSERT: &str = "INSERT INTO vault_grant \
     (tenant_id, id, collection_id, document_id, subject_kind, subject_id, access, valid_from, valid_until, \
     created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const DELETE: &str = "DELETE FROM vault_grant WHERE tenant_id = $1 AND id = $2";
const IN_FORCE: &str = "SELECT access FROM vault_grant WHERE tenant_id = $1 AND collection_id = $2 \
     AND (document_id IS NULL OR document_id = $3) AND (subject_kind = 'everyone' \
     OR (subject_kind = 'account' AND subject_id = $4) OR (subject_kind = 'role' AND subject_id = $5)) \
     AND valid_from <= $6 AND (valid_until IS NULL OR valid_until > $6)";

#[derive(FromQueryResult)]
struct Row {
    id: GrantId,
    collection_id: CollectionId,
    document_id: Option<DocumentId>,
    subject_kind: String,
    subject_id: Option<Uuid>,
    access: String,
    valid_from: DateTime<Utc>,
    valid_until: Option<DateTime<Utc>>,
    created_by: Option<AccountId>,
    created_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct AccessRow {
    access: String,
}

impl Row {
    fn grant(self) -> Result<Grant, Problem> {
        let subject = SubjectKind::named(&self.subject_kind).ok_or_else(|| Problem::internal(&self.subject_kind))?;
        let subject_id = self.subject_id.map(|id| match subject {
            SubjectKind::Role => RoleId::from_uuid(id).to_string(),
            SubjectKind::Account | SubjectKind::Everyone => AccountId::from_uuid(id).to_string(),
        });
        Ok(Grant {
            id: self.id,
            collection_id: self.collection_id,
            document_id: self.document_id,
            subject,
            subject_id,
            access: Access::named(&self.access).ok_or_else(|| Problem::internal(&self.access))?,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            created_by: self.created_by,
            created_at: self.created_at,
        })
    }
}

/// One grant.
pub(crate) async fn find(tx: &Tx, id: GrantId) -> Result<Option<Grant>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM vault_grant WHERE tenant_id = $1 AND id = $2");
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), id.into()]).await?;
    row.map(Row::grant).transpose()
}

/// A page of the grants on what the viewer owns.
pub(crate) async fn list(tx: &Tx, viewer: &Viewer, request: &ListRequest) -> Result<Vec<Grant>, Problem> {
    let collection = "vault_collection.tenant_id = vault_grant.tenant_id \
         AND vault_collection.id = vault_grant.collection_id";
    let document = "vault_document.tenant_id = vault_grant.tenant_id AND vault_document.id = vault_grant.document_id";
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("vault_grant"))
        .join(JoinType::InnerJoin, Alias::new("vault_collection"), Expr::cust(collection))
        .join(JoinType::LeftJoin, Alias::new("vault_document"), Expr::cust(document))
        .and_where(Expr::cust("vault_grant.tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("vault_collection.deleted_at IS NULL"))
        .cond_where(visible::grants(viewer));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Row::from_query_result(row, "")?.grant()).collect()
}

/// What the grants in force on a collection, and on a document in it, allow this viewer.
pub(crate) async fn in_force(
    tx: &Tx,
    viewer: &Viewer,
    collection: CollectionId,
    document: Option<DocumentId>,
) -> Result<Vec<Access>, Problem> {
    let values = [
        tx.tenant().into(),
        collection.into(),
        document.map(kernel::Id::uuid).into(),
        viewer.account.map(kernel::Id::uuid).into(),
        viewer.role.map(kernel::Id::uuid).into(),
        viewer.now.into(),
    ];
    let rows: Vec<AccessRow> = tx.all(IN_FORCE, values).await?;
    Ok(rows.iter().filter_map(|row| Access::named(&row.access)).collect())
}

/// Adds a grant for this account or role, or for everyone.
pub(crate) async fn insert(tx: &Tx, grant: &Grant, subject: Option<Uuid>) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        grant.id.into(),
        grant.collection_id.into(),
        grant.document_id.map(kernel::Id::uuid).into(),
        grant.subject.as_str().into(),
        subject.into(),
        grant.access.as_str().into(),
        grant.valid_from.into(),
        grant.valid_until.into(),
        grant.created_by.map(kernel::Id::uuid).into(),
        grant.created_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Takes a grant away.
pub(crate) async fn delete(tx: &Tx, id: GrantId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}
