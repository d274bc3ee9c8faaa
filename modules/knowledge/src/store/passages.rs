//! Passages: written for a version while another is live, read for answers and indexes.

use kernel::{Problem, Tx};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;
use vault::{CollectionId, DocumentId, VersionId};

use super::embeddings::Digest;
use super::{ROWS_AT_ONCE, embeddings, list, rows, scoped};
use crate::model::PassageId;

const COLUMNS: &str =
    "tenant_id, document_id, version_id, ordinal, id, start_byte, end_byte, heading, page, body, digest";
const DROP_OTHERS: &str =
    "DELETE FROM knowledge_passage WHERE tenant_id = $1 AND document_id = $2 AND version_id <> $3";
const OF_VERSION: &str = "SELECT id, heading, body, digest FROM knowledge_passage \
     WHERE tenant_id = $1 AND document_id = $2 AND version_id = $3 ORDER BY ordinal";

/// The passages of versions that are found, under their documents' labels, and the tenant's last sequence number.
const SHOWN: &str = "SELECT p.id AS id, p.document_id AS document_id, p.version_id AS version_id, \
     p.start_byte AS start_byte, p.end_byte AS end_byte, p.heading AS heading, p.page AS page, p.body AS body, \
     d.collection_id AS collection_id, d.name AS name, d.title AS title, \
     (SELECT h.seq FROM knowledge_head h WHERE h.tenant_id = $1) AS head \
     FROM knowledge_passage p JOIN knowledge_document d ON d.tenant_id = p.tenant_id \
     AND d.document_id = p.document_id AND d.live_version_id = p.version_id WHERE p.tenant_id = $1";
/// The passages of versions that are found.
const LIVE: &str = "SELECT p.id AS id, p.heading AS heading, p.body AS body, p.digest AS digest FROM knowledge_passage p JOIN knowledge_document d ON d.tenant_id = p.tenant_id \
     AND d.document_id = p.document_id AND d.live_version_id = p.version_id WHERE p.tenant_id = $1";

/// A passage that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) ordinal: i32,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) heading: String,
    pub(crate) page: Option<i32>,
    pub(crate) body: String,
    pub(crate) digest: Digest,
}

/// A passage as indexes and rankings take it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Stored {
    pub(crate) id: PassageId,
    pub(crate) heading: String,
    pub(crate) body: String,
    pub(crate) digest: Vec<u8>,
}

/// A live passage as people see it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Shown {
    pub(crate) id: PassageId,
    pub(crate) document_id: DocumentId,
    pub(crate) version_id: VersionId,
    pub(crate) start_byte: i64,
    pub(crate) end_byte: i64,
    pub(crate) heading: String,
    pub(crate) page: Option<i32>,
    pub(crate) body: String,
    pub(crate) collection_id: CollectionId,
    /// The document's.
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    /// The tenant's last sequence number at this moment.
    pub(crate) head: Option<i64>,
}

/// Writes passages of a version that is not live yet. What an earlier attempt wrote stays.
pub(crate) async fn stage(tx: &Tx, document: DocumentId, version: VersionId, drafts: &[Draft]) -> Result<(), Problem> {
    for some in drafts.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO knowledge_passage ({COLUMNS}) VALUES {} ON CONFLICT DO NOTHING",
            rows(some.len(), 3, 8)
        );
        let own = some.iter().flat_map(|draft| {
            let id: PassageId = tx.new_id();
            [
                draft.ordinal.into(),
                id.into(),
                draft.start.into(),
                draft.end.into(),
                draft.heading.as_str().into(),
                draft.page.into(),
                draft.body.as_str().into(),
                draft.digest.to_vec().into(),
            ]
        });
        let shared = [Value::from(tx.tenant()), document.into(), version.into()];
        tx.execute(&sql, shared.into_iter().chain(own)).await?;
    }
    Ok(())
}

/// Removes the passages of all versions but this one, and the vectors that nobody shares.
pub(crate) async fn drop_others(tx: &Tx, document: DocumentId, but: VersionId) -> Result<(), Problem> {
    embeddings::drop_unshared(tx, document.into(), but.into()).await?;
    tx.execute(DROP_OTHERS, [tx.tenant().into(), document.into(), but.into()]).await?;
    Ok(())
}

/// Removes all passages of a document, and the vectors that nobody shares.
pub(crate) async fn drop_all(tx: &Tx, document: DocumentId) -> Result<(), Problem> {
    // No version has the nil id, so none is spared.
    embeddings::drop_unshared(tx, document.into(), Uuid::nil().into()).await?;
    tx.execute(DROP_OTHERS, [tx.tenant().into(), document.into(), Uuid::nil().into()]).await?;
    Ok(())
}

/// All passages of a version, in order.
pub(crate) async fn of_version(tx: &Tx, document: DocumentId, version: VersionId) -> Result<Vec<Stored>, Problem> {
    Ok(tx.all(OF_VERSION, [tx.tenant().into(), document.into(), version.into()]).await?)
}

/// These passages, of those that are live.
pub(crate) async fn shown(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Shown>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{SHOWN} AND p.id IN ({})", list(1, ids.len()));
    Ok(tx.all(&sql, scoped(tx.tenant(), ids.iter().map(|id| (*id).into()))).await?)
}

/// The passages of these documents that are live, a bounded number.
pub(crate) async fn of_documents(tx: &Tx, documents: &[Uuid], limit: i64) -> Result<Vec<Stored>, Problem> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "{LIVE} AND p.document_id IN ({}) ORDER BY p.document_id, p.ordinal LIMIT {limit}",
        list(1, documents.len())
    );
    Ok(tx.all(&sql, scoped(tx.tenant(), documents.iter().map(|id| (*id).into()))).await?)
}
