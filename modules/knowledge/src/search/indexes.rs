//! The upper rungs: this process's text and vector indexes.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Caller, Problem};
use uuid::Uuid;

use super::scope::Scope;
use super::{Asked, depth};
use crate::blocking::blocking;
use crate::derived::shelf::{Book, Shelf};
use crate::embed::EmbedError;
use crate::error::Error;
use crate::fusion::{Fused, Fusion, fuse};
use crate::knowledge::Knowledge;
use crate::models::excuse;
use crate::store::documents;
use crate::vector_index::VectorIndex;

/// A ranking of one index, and which part of the passages it holds.
pub(super) struct List {
    pub(super) ranked: Vec<(Uuid, f32)>,
    pub(super) coverage: f64,
}

/// Why an index has no answer.
pub(super) struct Down(pub(super) String);

/// Ranks by words; `head` is the rows' last sequence number.
pub(super) async fn text(
    knowledge: &Knowledge,
    caller: &Caller,
    (shelf, head): (&Arc<Shelf>, u64),
    asked: &Asked,
    scope: &Scope,
) -> Result<Result<List, Down>, Error> {
    let book = shelf.text();
    let (terms, permitted, limit) = (asked.terms.clone(), scope.permitted(), depth(asked.limit));
    let at = Arc::clone(&book);
    let searched = blocking(move || {
        let applied = at.index.applied_seq()?;
        let ranked = at.index.search(&terms, &permitted, limit)?;
        Ok::<_, crate::text_index::TextIndexError>((applied, ranked, at.index.len()))
    });
    let (applied, ranked, held) = match searched.await? {
        Ok(searched) => searched,
        Err(error) => return Ok(Err(Down(format!("the text index can't be read: {error}")))),
    };
    if !book.is_complete(applied) {
        return Ok(Err(Down("the text index is being built".to_owned())));
    }
    let coverage = if applied >= head { 1.0 } else { coverage_by_rows(knowledge, caller, held).await? };
    Ok(Ok(List { ranked, coverage }))
}

/// Ranks by meaning, likewise: by each model's vectors among its own, since those of two models say nothing about each other.
pub(super) async fn vector(
    knowledge: &Knowledge,
    caller: &Caller,
    (shelf, head): (&Arc<Shelf>, u64),
    asked: &Asked,
    scope: &Scope,
) -> Result<Result<List, Down>, Error> {
    let mut lists = BTreeMap::new();
    let (mut held, mut lag) = (0, false);
    for (model, book) in shelf.vectors() {
        let applied = book.index.applied_seq();
        if !book.is_complete(applied) {
            return Ok(Err(Down(format!("the vector index of {model} is being built"))));
        }
        lag |= applied < head;
        held += book.index.len() as u64;
        match nearest(knowledge, &model, book, asked, scope).await? {
            Ok(ranked) => drop(lists.insert(model, ranked)),
            Err(error) => {
                tracing::debug!(model, %error, "a question stays without its vector");
                return Ok(Err(Down(excuse(&error))));
            }
        }
    }
    if held == 0 {
        return Ok(Err(Down("there are no vectors; see GET /api/v1/knowledge/models".to_owned())));
    }
    let coverage = if lag { None } else { beside_words(shelf, held) };
    let coverage = match coverage {
        Some(coverage) => coverage,
        None => coverage_by_rows(knowledge, caller, held).await?,
    };
    Ok(Ok(List { ranked: merged(lists), coverage }))
}

/// The part of the passages that have vectors, of all that the text index holds: a model that failed owes some. `None`
/// when the text index can't tell.
fn beside_words(shelf: &Shelf, held: u64) -> Option<f64> {
    let text = shelf.text();
    let applied = text.index.applied_seq().ok()?;
    text.is_complete(applied).then(|| share(held, text.index.len()))
}

async fn nearest(
    knowledge: &Knowledge,
    model: &str,
    book: Arc<Book<VectorIndex>>,
    asked: &Asked,
    scope: &Scope,
) -> Result<Result<Vec<(Uuid, f32)>, EmbedError>, Problem> {
    let query = match knowledge.models().embed_query(model, asked.query.clone()).await {
        Ok(query) => query,
        Err(error) => return Ok(Err(error)),
    };
    let (permitted, limit) = (scope.permitted(), depth(asked.limit));
    let ranked = blocking(move || book.index.search(&query, &permitted, limit)).await?;
    Ok(Ok(ranked.map_err(Problem::internal)?))
}

/// One list of several models': each stretched between its own worst and best.
fn merged(mut lists: BTreeMap<String, Vec<(Uuid, f32)>>) -> Vec<(Uuid, f32)> {
    if lists.len() <= 1 {
        return lists.pop_first().map(|(_, list)| list).unwrap_or_default();
    }
    let stretch = |list: Vec<(Uuid, f32)>| fuse(Fusion::MinMax { vector: 1.0 }, &[], &list);
    let mut all: Vec<Fused<Uuid>> = lists.into_values().flat_map(stretch).collect();
    all.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
    all.into_iter().map(|fused| (fused.key, fused.score)).collect()
}

/// The part of the tenant's passages that an index holds.
async fn coverage_by_rows(knowledge: &Knowledge, caller: &Caller, held: u64) -> Result<f64, Error> {
    let all = knowledge.db().read(caller, async |tx| documents::live_passages(tx).await).await?;
    Ok(share(held, all.unsigned_abs()))
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn share(part: u64, all: u64) -> f64 {
    if all > 0 { (part as f64 / all as f64).min(1.0) } else { 1.0 }
}
