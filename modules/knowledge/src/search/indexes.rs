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

/// A ranking of one index, and how far that index follows the rows.
pub(super) struct List {
    pub(super) ranked: Vec<(Uuid, f32)>,
    pub(super) standing: Standing,
}

/// How far an index follows the rows, and what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The sequence number of the last changes in it.
    applied: u64,
    /// Passages in it.
    held: u64,
    /// The part of the passages that is in it once it has all changes; `None` when only the rows can tell.
    whole: Option<f64>,
}

impl Standing {
    /// The part of the tenant's passages that the index held, when the rows' last sequence number is `head`.
    pub(super) async fn coverage(self, knowledge: &Knowledge, caller: &Caller, head: u64) -> Result<f64, Error> {
        match self.whole {
            Some(whole) if self.applied >= head => Ok(whole),
            _ => {
                let all = knowledge.db().read(caller, async |tx| documents::live_passages(tx).await).await?;
                Ok(share(self.held, all.unsigned_abs()))
            }
        }
    }
}

/// Why an index has no answer.
pub(super) struct Down(pub(super) String);

/// Ranks by words.
pub(super) async fn text(shelf: &Arc<Shelf>, asked: &Asked, scope: &Scope) -> Result<Result<List, Down>, Error> {
    let book = shelf.text();
    let (terms, permitted, limit) = (asked.terms.clone(), scope.permitted(), depth(asked.limit));
    let at = Arc::clone(&book);
    let searched = blocking(move || {
        let applied = at.index.applied_seq();
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
    Ok(Ok(List { ranked, standing: Standing { applied, held, whole: Some(1.0) } }))
}

/// Ranks by meaning, likewise: by each model's vectors among its own, since those of two models say nothing about each other.
pub(super) async fn vector(
    knowledge: &Knowledge,
    shelf: &Arc<Shelf>,
    asked: &Asked,
    scope: &Scope,
) -> Result<Result<List, Down>, Error> {
    let mut lists = BTreeMap::new();
    let (mut held, mut least) = (0, u64::MAX);
    for (model, book) in shelf.vectors() {
        let applied = book.index.applied_seq();
        if !book.is_complete(applied) {
            return Ok(Err(Down(format!("the vector index of {model} is being built"))));
        }
        least = least.min(applied);
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
    let standing = Standing { applied: least, held, whole: beside_words(shelf, held) };
    Ok(Ok(List { ranked: merged(lists), standing }))
}

/// The part of the passages that have vectors, of all that the text index holds: a model that failed owes some. `None`
/// when the text index can't tell.
fn beside_words(shelf: &Shelf, held: u64) -> Option<f64> {
    let text = shelf.text();
    text.is_complete(text.index.applied_seq()).then(|| share(held, text.index.len()))
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

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn share(part: u64, all: u64) -> f64 {
    if all > 0 { (part as f64 / all as f64).min(1.0) } else { 1.0 }
}
