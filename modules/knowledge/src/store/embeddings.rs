//! Vectors, kept once for equal content.

use std::collections::HashMap;

use kernel::{Problem, Tx};
use sea_orm::{FromQueryResult, Value};

use super::{ROWS_AT_ONCE, list, rows};

/// Those of this version that no other passage shares.
const DROP_UNSHARED: &str = "DELETE FROM knowledge_embedding WHERE tenant_id = $1 AND digest IN ( \
     SELECT p.digest FROM knowledge_passage p WHERE p.tenant_id = $1 AND p.document_id = $2 AND p.version_id <> $3 \
     AND NOT EXISTS (SELECT 1 FROM knowledge_passage q WHERE q.tenant_id = $1 AND q.digest = p.digest \
     AND (q.document_id <> p.document_id OR q.version_id = $3)))";

/// A digest of what is embedded (SHA-256).
pub(crate) type Digest = [u8; 32];

#[derive(FromQueryResult)]
struct Row {
    digest: Vec<u8>,
    vector: Vec<u8>,
}

/// The vectors that are there, of these digests.
pub(crate) async fn find(tx: &Tx, model: &str, digests: &[Digest]) -> Result<HashMap<Digest, Vec<f32>>, Problem> {
    let mut found = HashMap::with_capacity(digests.len());
    for some in digests.chunks(500) {
        let sql = format!(
            "SELECT digest, vector FROM knowledge_embedding WHERE tenant_id = $1 AND model = $2 AND digest IN ({})",
            list(2, some.len())
        );
        let head = [Value::from(tx.tenant()), model.into()];
        let values = head.into_iter().chain(some.iter().map(|digest| digest.to_vec().into()));
        for row in tx.all::<Row>(&sql, values).await? {
            if let Ok(digest) = Digest::try_from(row.digest) {
                found.insert(digest, numbers(&row.vector));
            }
        }
    }
    Ok(found)
}

/// Keeps vectors; one that is there already stays.
pub(crate) async fn keep(tx: &Tx, model: &str, vectors: &[(Digest, Vec<f32>)]) -> Result<(), Problem> {
    for some in vectors.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO knowledge_embedding (tenant_id, model, digest, vector) VALUES {} ON CONFLICT DO NOTHING",
            rows(some.len(), 2, 2)
        );
        let own = some.iter().flat_map(|(digest, vector)| [digest.to_vec().into(), bytes(vector).into()]);
        let shared = [Value::from(tx.tenant()), model.into()];
        tx.execute(&sql, shared.into_iter().chain(own)).await?;
    }
    Ok(())
}

/// Removes the vectors of a document's passages, but for those of the version `but` and those that others share.
pub(crate) async fn drop_unshared(tx: &Tx, document: Value, but: Value) -> Result<(), Problem> {
    tx.execute(DROP_UNSHARED, [tx.tenant().into(), document, but]).await?;
    Ok(())
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}
