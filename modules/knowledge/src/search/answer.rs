//! Passages as people see them, and the record that they were shown.

use std::collections::{HashMap, HashSet};

use audit::Entry;
use kernel::Caller;
use serde_json::json;
use uuid::Uuid;
use vault::DocumentId;

use super::Ranking;
use super::scope::Scope;
use crate::analysis;
use crate::error::Error;
use crate::fusion::{Fused, Part};
use crate::knowledge::Knowledge;
use crate::model::{Highlight, Hit, RankerPart, Rung, RungName, whole};
use crate::store::documents::Label;
use crate::store::passages::Stored;
use crate::store::{documents, passages};

/// Marked parts of one passage.
const MARKS: usize = 20;
/// Spare passages looked at, for those that went between the index and the rows.
const SPARE: usize = 2;

/// The best passages, as they stand in the rows now: what went meanwhile, or may not be read, is left out.
pub(super) async fn hits(
    knowledge: &Knowledge,
    caller: &Caller,
    scope: &Scope,
    ranking: &Ranking,
    limit: usize,
) -> Result<Vec<Hit>, Error> {
    let mut items = Vec::with_capacity(limit);
    for some in ranking.found.chunks(limit + SPARE) {
        let (mut rows, labels) = load(knowledge, caller, some).await?;
        for fused in some {
            let Some(row) = rows.remove(&fused.key) else { continue };
            let label = labels.get(&row.document_id);
            let Some(label) = label.filter(|label| scope.covers(label.collection_id, row.document_id)) else {
                continue;
            };
            items.push(hit(row, label, fused, &ranking.terms));
            if items.len() == limit {
                return Ok(items);
            }
        }
    }
    Ok(items)
}

type Loaded = (HashMap<Uuid, Stored>, HashMap<DocumentId, Label>);

async fn load(knowledge: &Knowledge, caller: &Caller, some: &[Fused<Uuid>]) -> Result<Loaded, Error> {
    let ids: Vec<Uuid> = some.iter().map(|fused| fused.key).collect();
    let read = knowledge.db().read(caller, async |tx| {
        let rows = passages::find(tx, &ids).await?;
        let of: HashSet<DocumentId> = rows.iter().map(|row| row.document_id).collect();
        let labels = documents::labels(tx, &of.into_iter().collect::<Vec<_>>()).await?;
        Ok::<_, kernel::Problem>((rows, labels))
    });
    let (rows, labels) = read.await?;
    let rows = rows.into_iter().map(|row| (row.id.uuid(), row)).collect();
    Ok((rows, labels.into_iter().map(|label| (label.document_id, label)).collect()))
}

fn hit(row: Stored, label: &Label, fused: &Fused<Uuid>, marked: &[String]) -> Hit {
    let marks = analysis::highlights(&row.body, marked, MARKS);
    let parts = [("text", fused.text), ("vector", fused.vector)];
    Hit {
        document: row.document_id,
        collection: label.collection_id,
        version: row.version_id,
        passage: row.id,
        name: label.name.clone(),
        title: label.title.clone(),
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
