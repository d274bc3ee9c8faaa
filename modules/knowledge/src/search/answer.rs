//! Passages as people see them, and the record that they were shown.

use std::collections::{HashMap, HashSet};

use audit::Entry;
use kernel::Caller;
use serde_json::json;
use uuid::Uuid;

use super::Ranking;
use super::scope::Scope;
use crate::analysis;
use crate::error::Error;
use crate::fusion::{Fused, Part};
use crate::knowledge::Knowledge;
use crate::model::{Highlight, Hit, RankerPart, Rung, RungName, whole};
use crate::store::passages::{self, Shown};

/// Marked parts of one passage.
const MARKS: usize = 20;
/// Spare passages looked at, for those that went between the index and the rows.
const SPARE: usize = 2;

/// What people see of a ranking.
pub(super) struct Answer {
    pub(super) items: Vec<Hit>,
    /// The tenant's last sequence number, as of the rows; `None` when there were none to be looked at.
    pub(super) head: Option<u64>,
}

/// The best passages, as they stand in the rows now: what went meanwhile, or may not be read, is left out.
pub(super) async fn hits(
    knowledge: &Knowledge,
    caller: &Caller,
    scope: &Scope,
    ranking: &Ranking,
    limit: usize,
) -> Result<Answer, Error> {
    let mut answer = Answer { items: Vec::with_capacity(limit), head: None };
    for some in ranking.found.chunks(limit + SPARE) {
        let ids: Vec<Uuid> = some.iter().map(|fused| fused.key).collect();
        let rows = knowledge.db().read(caller, async |tx| passages::shown(tx, &ids).await).await?;
        answer.head = answer.head.or(rows.first().and_then(|row| row.head).map(i64::unsigned_abs));
        let mut rows: HashMap<Uuid, Shown> = rows.into_iter().map(|row| (row.id.uuid(), row)).collect();
        for fused in some {
            let row = rows.remove(&fused.key).filter(|row| scope.covers(row.collection_id, row.document_id));
            let Some(row) = row else { continue };
            answer.items.push(hit(row, fused, &ranking.terms));
            if answer.items.len() == limit {
                return Ok(answer);
            }
        }
    }
    Ok(answer)
}

fn hit(row: Shown, fused: &Fused<Uuid>, marked: &[String]) -> Hit {
    let marks = analysis::highlights(&row.body, marked, MARKS);
    let parts = [("text", fused.text), ("vector", fused.vector)];
    Hit {
        document: row.document_id,
        collection: row.collection_id,
        version: row.version_id,
        passage: row.id,
        name: row.name,
        title: row.title,
        heading: Some(row.heading).filter(|heading| !heading.is_empty()),
        page: row.page,
        start: row.start_byte,
        end: row.end_byte,
        highlights: marks.into_iter().map(|(start, end)| Highlight { start: whole(start), end: whole(end) }).collect(),
        score: f64::from(fused.score),
        parts: parts.into_iter().filter_map(|(name, part)| part.map(|part| ranker(name, part))).collect(),
        text: row.body,
    }
}

fn ranker(name: &str, part: Part) -> RankerPart {
    RankerPart {
        ranker: name.to_owned(),
        rank: whole(part.rank),
        score: f64::from(part.score),
        share: f64::from(part.share),
    }
}

/// Puts on record who was shown which documents, and what for. The question itself is nobody's business.
pub(super) async fn record(
    knowledge: &Knowledge,
    caller: &Caller,
    items: &[Hit],
    rung: &Rung,
    purpose: &'static str,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let documents: Vec<String> =
        items.iter().filter(|hit| seen.insert(hit.document)).map(|hit| hit.document.to_string()).collect();
    let details = json!({ "purpose": purpose, "rung": rung_word(rung.name), "documents": documents });
    Ok(audit::record(knowledge.db(), caller, Entry::success("knowledge.searched").details(details)).await?)
}

/// The rung's name for logs and metrics.
pub(super) const fn rung_word(name: RungName) -> &'static str {
    match name {
        RungName::Hybrid => "hybrid",
        RungName::Vector => "vector",
        RungName::Text => "text",
        RungName::Database => "database",
        RungName::Trigram => "trigram",
        RungName::Prefix => "prefix",
        RungName::Nothing => "nothing",
    }
}
