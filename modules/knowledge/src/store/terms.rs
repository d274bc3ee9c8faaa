//! Which term is in which document: the search of the database itself, in SQL that both engines and row-level
//! security take by the same index.

use std::fmt::Write;

use kernel::{Problem, Tx};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Count, list, scoped};

/// Terms of one statement.
const TERMS_AT_ONCE: usize = 5000;

const DROP: &str = "DELETE FROM knowledge_term WHERE tenant_id = $1 AND document_id = $2";
const NEAR: &str = "SELECT DISTINCT term FROM knowledge_term WHERE tenant_id = $1 AND term >= $2 AND term < $3 \
     ORDER BY term LIMIT $4";
const DOCUMENTS: &str =
    "SELECT COUNT(*) AS count FROM knowledge_document WHERE tenant_id = $1 AND live_version_id IS NOT NULL";

/// Replaces the terms of a document.
pub(crate) async fn replace(tx: &Tx, document: Uuid, terms: &[String]) -> Result<(), Problem> {
    drop_all(tx, document).await?;
    let sql = format!(
        "INSERT INTO knowledge_term (tenant_id, term, document_id) SELECT $1, value, $2 FROM {} WHERE 1 = 1 \
         ON CONFLICT DO NOTHING",
        tx.engine().texts(3)
    );
    for some in terms.chunks(TERMS_AT_ONCE) {
        let list = serde_json::to_string(some).map_err(Problem::internal)?;
        tx.execute(&sql, [tx.tenant().into(), document.into(), list.into()]).await?;
    }
    Ok(())
}

/// Removes the terms of a document.
pub(crate) async fn drop_all(tx: &Tx, document: Uuid) -> Result<(), Problem> {
    tx.execute(DROP, [tx.tenant().into(), document.into()]).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct TermCount {
    term: String,
    count: i64,
}

/// In how many live documents each of these terms is, and how many there are in all.
pub(crate) async fn frequencies(tx: &Tx, terms: &[String]) -> Result<(Vec<(String, i64)>, i64), Problem> {
    if terms.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let sql = format!(
        "SELECT term, COUNT(*) AS count FROM knowledge_term WHERE tenant_id = $1 AND term IN ({}) GROUP BY term",
        list(1, terms.len())
    );
    let rows: Vec<TermCount> = tx.all(&sql, scoped(tx.tenant(), terms.iter().map(|term| term.as_str().into()))).await?;
    let all: Option<Count> = tx.one(DOCUMENTS, [tx.tenant().into()]).await?;
    let rows = rows.into_iter().map(|row| (row.term, row.count)).collect();
    Ok((rows, all.map_or(0, |row| row.count)))
}

/// Documents and collections to look in; a document belongs if either names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Within {
    pub(crate) collections: Vec<Uuid>,
    pub(crate) documents: Vec<Uuid>,
}

#[derive(FromQueryResult)]
struct Candidate {
    document_id: Uuid,
}

/// The documents that have the most of these terms, weighed, among those of all `places`: best first, a bounded
/// number. Weights are whole numbers, so that both engines add them up alike.
pub(crate) async fn candidates(
    tx: &Tx,
    weighed: &[(String, i64)],
    places: &[Within],
    limit: i64,
) -> Result<Vec<Uuid>, Problem> {
    if weighed.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![tx.tenant().into()];
    let mut weight = String::new();
    for (term, worth) in weighed {
        values.push(term.as_str().into());
        // Writing to a text can't fail; the weight is a number of ours.
        write!(weight, " WHEN ${} THEN {worth}", values.len()).ok();
    }
    let terms = list(1, weighed.len());
    let mut within = String::new();
    for place in places {
        let mut any = Vec::new();
        for (column, ids) in [("collection_id", &place.collections), ("document_id", &place.documents)] {
            if !ids.is_empty() {
                any.push(format!("d.{column} IN ({})", list(values.len(), ids.len())));
                values.extend(ids.iter().map(|id| Value::from(*id)));
            }
        }
        let any = if any.is_empty() { "1 = 0".to_owned() } else { any.join(" OR ") };
        write!(within, " AND ({any})").ok();
    }
    let sql = format!(
        "SELECT t.document_id AS document_id FROM knowledge_term t \
         JOIN knowledge_document d ON d.tenant_id = t.tenant_id AND d.document_id = t.document_id \
         AND d.live_version_id IS NOT NULL \
         WHERE t.tenant_id = $1 AND t.term IN ({terms}){within} \
         GROUP BY t.document_id ORDER BY SUM(CASE t.term{weight} END) DESC, t.document_id LIMIT {limit}"
    );
    let rows: Vec<Candidate> = tx.all(&sql, values).await?;
    Ok(rows.into_iter().map(|row| row.document_id).collect())
}

#[derive(FromQueryResult)]
struct Word {
    term: String,
}

/// The tenant's terms from `from` up to, but not with, `to`, in order; a bounded number.
pub(crate) async fn between(tx: &Tx, from: &str, to: &str, limit: i64) -> Result<Vec<String>, Problem> {
    let rows: Vec<Word> = tx.all(NEAR, [tx.tenant().into(), from.into(), to.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| row.term).collect())
}
