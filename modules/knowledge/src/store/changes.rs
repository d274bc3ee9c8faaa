//! What a replica's indexes have to learn: documents by the sequence number of their last change.

use kernel::{Id, Problem, TenantId, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;
use vault::{CollectionId, DocumentId, VersionId};

const HEADS: &str = "SELECT tenant_id, seq FROM knowledge_head ORDER BY tenant_id";
const AFTER: &str = "SELECT document_id, collection_id, live_version_id, model, seq FROM knowledge_document \
     WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const MODELS: &str = "SELECT DISTINCT model FROM knowledge_document WHERE tenant_id = $1 AND live_version_id IS NOT NULL AND model <> ''";
const PRUNE: &str = "DELETE FROM knowledge_document WHERE state = 'deleted' AND updated_at < $1";

/// A tenant's last sequence number.
#[derive(Debug, FromQueryResult)]
struct HeadRow {
    tenant_id: Uuid,
    seq: i64,
}

/// Where all tenants stand; `tx` reaches all of them.
pub(crate) async fn heads(tx: &Tx) -> Result<Vec<(TenantId, i64)>, Problem> {
    let rows: Vec<HeadRow> = tx.all(HEADS, []).await?;
    Ok(rows.into_iter().map(|row| (Id::from_uuid(row.tenant_id), row.seq)).collect())
}

/// A document whose place in the indexes changed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Change {
    pub(crate) document_id: DocumentId,
    pub(crate) collection_id: CollectionId,
    /// `None` when it is to be found no more.
    pub(crate) live_version_id: Option<VersionId>,
    pub(crate) model: String,
    pub(crate) seq: i64,
}

/// The next changes after this number, in order.
pub(crate) async fn after(tx: &Tx, seq: i64, limit: i64) -> Result<Vec<Change>, Problem> {
    Ok(tx.all(AFTER, [tx.tenant().into(), seq.into(), limit.into()]).await?)
}

/// Removes what is left of documents deleted before this moment; `tx` reaches all tenants.
pub(crate) async fn prune(tx: &Tx, before: chrono::DateTime<chrono::Utc>) -> Result<u64, Problem> {
    Ok(tx.execute(PRUNE, [before.into()]).await?)
}

#[derive(FromQueryResult)]
struct Model {
    model: String,
}

/// The embedding models of the tenant's documents.
pub(crate) async fn models(tx: &Tx) -> Result<Vec<String>, Problem> {
    let rows: Vec<Model> = tx.all(MODELS, [tx.tenant().into()]).await?;
    Ok(rows.into_iter().map(|row| row.model).collect())
}
