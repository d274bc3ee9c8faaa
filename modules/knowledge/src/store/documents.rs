//! Documents: how far each is, and lists of them.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;
use vault::{CollectionId, DocumentId, VersionId};

use super::{Count, list as placeholders, scoped};
use crate::ingest::Heard;
use crate::model::{Ingest, IngestState};

const COLUMNS: &str = "document_id, collection_id, version_id, live_version_id, name, title, media_type, size, state, \
     reason, detail, passages_done, passages_total, model, created_at, updated_at, version";
const UPSERT: &str = "INSERT INTO knowledge_document (tenant_id, document_id, collection_id, version_id, name, \
     media_type, size, state, passages_done, passages_total, live_passages, model, seq, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, 0, 0, $8, 0, $9, $9, 1) \
     ON CONFLICT (tenant_id, document_id) DO UPDATE SET collection_id = $3, version_id = $4, name = $5, \
     media_type = $6, size = $7, state = 'queued', reason = NULL, detail = NULL, passages_done = 0, \
     passages_total = 0, model = $8, updated_at = $9, version = knowledge_document.version + 1";
const RENAME: &str = "UPDATE knowledge_document SET name = $3, updated_at = $4, version = version + 1 \
     WHERE tenant_id = $1 AND document_id = $2 AND state <> 'deleted'";
const PROGRESS: &str = "UPDATE knowledge_document SET state = $4, passages_done = $5, passages_total = $6, \
     updated_at = $7, version = version + 1 \
     WHERE tenant_id = $1 AND document_id = $2 AND version_id = $3 AND state NOT IN ('deleted', 'ready')";
const SET_MODEL: &str = "UPDATE knowledge_document SET model = $3 WHERE tenant_id = $1 AND document_id = $2";
const FAIL: &str = "UPDATE knowledge_document SET state = 'failed', reason = $4, detail = $5, updated_at = $6, \
     version = version + 1 WHERE tenant_id = $1 AND document_id = $2 AND version_id = $3 AND state <> 'deleted'";
const GO_LIVE: &str = "UPDATE knowledge_document SET state = 'ready', live_version_id = $3, title = $4, \
     live_passages = $5, passages_done = $5, passages_total = $5, seq = $6, updated_at = $7, version = version + 1 \
     WHERE tenant_id = $1 AND document_id = $2 AND version_id = $3 AND state <> 'deleted'";
/// Under a new number, so that the indexes take the document in once more.
const RENEW: &str = "UPDATE knowledge_document SET seq = $4 \
     WHERE tenant_id = $1 AND document_id = $2 AND live_version_id = $3 AND state <> 'deleted'";
/// What is left for replicas to learn of: that it is gone.
const BURY: &str = "UPDATE knowledge_document SET state = 'deleted', live_version_id = NULL, name = '', title = NULL, \
     reason = NULL, detail = NULL, live_passages = 0, passages_done = 0, passages_total = 0, seq = $3, \
     updated_at = $4, version = version + 1 WHERE tenant_id = $1 AND document_id = $2 AND state <> 'deleted'";
const NEXT_SEQ: &str = "INSERT INTO knowledge_head (tenant_id, seq) VALUES ($1, 1) \
     ON CONFLICT (tenant_id) DO UPDATE SET seq = knowledge_head.seq + 1 RETURNING seq AS count";
const HEAD: &str = "SELECT seq AS count FROM knowledge_head WHERE tenant_id = $1";
const OF_COLLECTION: &str = "SELECT document_id FROM knowledge_document \
     WHERE tenant_id = $1 AND collection_id = $2 AND state <> 'deleted'";
const STATUS: &str = "SELECT \
     CAST(COALESCE(SUM(CASE WHEN live_version_id IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS documents, \
     CAST(COALESCE(SUM(live_passages), 0) AS BIGINT) AS passages, \
     CAST(COALESCE(SUM(CASE WHEN state IN ('queued', 'extracting', 'embedding') THEN 1 ELSE 0 END), 0) AS BIGINT) \
     AS in_progress, \
     CAST(COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) AS BIGINT) AS failed \
     FROM knowledge_document WHERE tenant_id = $1";
const PASSAGES: &str = "SELECT CAST(COALESCE(SUM(live_passages), 0) AS BIGINT) AS count \
     FROM knowledge_document WHERE tenant_id = $1";

#[derive(FromQueryResult)]
struct Row {
    document_id: DocumentId,
    collection_id: CollectionId,
    version_id: VersionId,
    live_version_id: Option<VersionId>,
    name: String,
    title: Option<String>,
    media_type: String,
    size: i64,
    state: String,
    reason: Option<String>,
    detail: Option<String>,
    passages_done: i64,
    passages_total: i64,
    model: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for Ingest {
    fn from(row: Row) -> Self {
        Self {
            document: row.document_id,
            collection: row.collection_id,
            newest: row.version_id,
            live_version: row.live_version_id,
            name: row.name,
            title: row.title,
            media_type: row.media_type,
            size: row.size,
            // No other word gets past the table's check.
            state: IngestState::parse(&row.state).unwrap_or(IngestState::Failed),
            reason: row.reason,
            detail: row.detail,
            passages_done: row.passages_done,
            passages_total: row.passages_total,
            model: Some(row.model).filter(|model| !model.is_empty()),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Notes a version that is to be read.
pub(crate) async fn queue(tx: &Tx, heard: &Heard, model: &str) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        heard.document.into(),
        heard.collection.into(),
        heard.version.into(),
        heard.name.as_str().into(),
        heard.media_type.as_str().into(),
        heard.size.into(),
        model.into(),
        tx.now().into(),
    ];
    tx.execute(UPSERT, values).await?;
    Ok(())
}

/// Notes a new name.
pub(crate) async fn rename(tx: &Tx, document: DocumentId, name: &str) -> Result<(), Problem> {
    tx.execute(RENAME, [tx.tenant().into(), document.into(), name.into(), tx.now().into()]).await?;
    Ok(())
}

/// Notes how far this version is; `false` when it is no longer the one that is wanted.
pub(crate) async fn progress(
    tx: &Tx,
    (document, version): (DocumentId, VersionId),
    state: IngestState,
    (done, total): (i64, i64),
) -> Result<bool, Problem> {
    let values = [
        tx.tenant().into(),
        document.into(),
        version.into(),
        state.word().into(),
        done.into(),
        total.into(),
        tx.now().into(),
    ];
    Ok(tx.execute(PROGRESS, values).await? > 0)
}

/// Notes which model embeds the document's passages.
pub(crate) async fn set_model(tx: &Tx, document: DocumentId, model: &str) -> Result<(), Problem> {
    tx.execute(SET_MODEL, [tx.tenant().into(), document.into(), model.into()]).await?;
    Ok(())
}

/// Notes why this version can't be read.
pub(crate) async fn fail(
    tx: &Tx,
    (document, version): (DocumentId, VersionId),
    reason: &str,
    detail: &str,
) -> Result<bool, Problem> {
    let values = [tx.tenant().into(), document.into(), version.into(), reason.into(), detail.into(), tx.now().into()];
    Ok(tx.execute(FAIL, values).await? > 0)
}

/// From now on this version is the one that is found; `false` when another is wanted by now.
pub(crate) async fn go_live(
    tx: &Tx,
    (document, version): (DocumentId, VersionId),
    title: Option<&str>,
    passages: i64,
) -> Result<bool, Problem> {
    let seq = next_seq(tx).await?;
    let values = [
        tx.tenant().into(),
        document.into(),
        version.into(),
        title.map(str::to_owned).into(),
        passages.into(),
        seq.into(),
        tx.now().into(),
    ];
    Ok(tx.execute(GO_LIVE, values).await? > 0)
}

/// Has the indexes take this version in once more; `false` when it is no longer the one that is found.
pub(crate) async fn renew(tx: &Tx, (document, version): (DocumentId, VersionId)) -> Result<bool, Problem> {
    let seq = next_seq(tx).await?;
    Ok(tx.execute(RENEW, [tx.tenant().into(), document.into(), version.into(), seq.into()]).await? > 0)
}

/// Takes the document out of what is found; `false` when it was not in.
pub(crate) async fn bury(tx: &Tx, document: DocumentId) -> Result<bool, Problem> {
    let seq = next_seq(tx).await?;
    Ok(tx.execute(BURY, [tx.tenant().into(), document.into(), seq.into(), tx.now().into()]).await? > 0)
}

/// The tenant's next sequence number. Its row stays locked until the commit, so numbers appear in their order.
async fn next_seq(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Count> = tx.one(NEXT_SEQ, [tx.tenant().into()]).await?;
    row.map(|row| row.count).ok_or_else(|| Problem::internal("no sequence number"))
}

/// The tenant's last sequence number; 0 before the first.
pub(crate) async fn head(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Count> = tx.one(HEAD, [tx.tenant().into()]).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// All passages that are found in the tenant.
pub(crate) async fn live_passages(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Count> = tx.one(PASSAGES, [tx.tenant().into()]).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// One document.
pub(crate) async fn find(tx: &Tx, document: DocumentId) -> Result<Option<Ingest>, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM knowledge_document WHERE tenant_id = $1 AND document_id = $2 AND state <> 'deleted'"
    );
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), document.into()]).await?;
    Ok(row.map(Ingest::from))
}

/// A page of the documents of these places; everything when `places` is `None`.
pub(crate) async fn page(
    tx: &Tx,
    request: &ListRequest,
    places: Option<(&[Uuid], &[Uuid])>,
) -> Result<Vec<Ingest>, Problem> {
    let mut select = select(tx, places);
    request.apply(&mut select)?;
    fetch(tx, &select).await
}

/// The documents of these places that changed after this moment, in the order of their changes; a bounded number.
pub(crate) async fn changed(
    tx: &Tx,
    after: DateTime<Utc>,
    places: Option<(&[Uuid], &[Uuid])>,
    limit: u64,
) -> Result<Vec<Ingest>, Problem> {
    let mut select = select(tx, places);
    select.and_where(Expr::cust("updated_at").gt(after));
    select.order_by_expr(Expr::cust("updated_at"), Order::Asc).order_by_expr(Expr::cust("document_id"), Order::Asc);
    select.limit(limit);
    fetch(tx, &select).await
}

/// The documents of these places that are not deleted.
fn select(tx: &Tx, places: Option<(&[Uuid], &[Uuid])>) -> SelectStatement {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("knowledge_document"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("state <> 'deleted'"));
    if let Some((collections, documents)) = places {
        let within = Expr::cust("collection_id").is_in(collections.iter().copied());
        select.and_where(within.or(Expr::cust("document_id").is_in(documents.iter().copied())));
    }
    select
}

async fn fetch(tx: &Tx, select: &SelectStatement) -> Result<Vec<Ingest>, Problem> {
    let rows = tx.conn().query_all(select).await?;
    let rows = rows.iter().map(|row| Row::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().map(Ingest::from).collect())
}

#[derive(FromQueryResult)]
struct Named {
    document_id: DocumentId,
}

/// The documents of a collection.
pub(crate) async fn of_collection(tx: &Tx, collection: CollectionId) -> Result<Vec<DocumentId>, Problem> {
    let rows: Vec<Named> = tx.all(OF_COLLECTION, [tx.tenant().into(), collection.into()]).await?;
    Ok(rows.into_iter().map(|row| row.document_id).collect())
}

/// Numbers of a tenant's search.
#[derive(Debug, Default, FromQueryResult)]
pub(crate) struct Totals {
    pub(crate) documents: i64,
    pub(crate) passages: i64,
    pub(crate) in_progress: i64,
    pub(crate) failed: i64,
}

/// How many documents stand where.
pub(crate) async fn totals(tx: &Tx) -> Result<Totals, Problem> {
    let row: Option<Totals> = tx.one(STATUS, [tx.tenant().into()]).await?;
    Ok(row.unwrap_or_default())
}

/// A document and its collection.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Place {
    pub(crate) document_id: DocumentId,
    pub(crate) collection_id: CollectionId,
}

/// Where these documents are, of those that are still found.
pub(crate) async fn places(tx: &Tx, documents: &[DocumentId]) -> Result<Vec<Place>, Problem> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT document_id, collection_id FROM knowledge_document \
         WHERE tenant_id = $1 AND document_id IN ({}) AND live_version_id IS NOT NULL",
        placeholders(1, documents.len())
    );
    let values = scoped(tx.tenant(), documents.iter().map(|document| (*document).into()));
    Ok(tx.all(&sql, values).await?)
}
