//! Feeding a tenant's indexes from the rows, change by change.

use std::sync::Arc;

use kernel::{Caller, Db, Problem};

use super::shelf::{Book, Shelf};
use crate::analysis::joined;
use crate::blocking::blocking;
use crate::ingest::stages::Stage;
use crate::store::changes::{self, Change};
use crate::store::passages::{self, Stored};
use crate::store::{documents, embeddings};
use crate::text_index::{TextChange, TextIndex, TextPassage};
use crate::vector_index::{VectorChange, VectorIndex, VectorPassage};

/// Changes that are looked at together.
const CHANGES: i64 = 64;
/// Passages that are applied together, about.
const PASSAGES: usize = 2000;
/// Work on a graph that is done at once; others may search in between.
const TEND: usize = 500;

/// Brings all indexes of the shelf up to the rows.
pub(super) async fn catch_up(
    db: &Db,
    shelf: &Arc<Shelf>,
    dimensions: impl Fn(&str) -> Option<usize>,
) -> Result<(), Problem> {
    let _one = shelf.feeding.lock().await;
    let text = catch_up_text(db, shelf).await;
    let vectors = catch_up_vectors(db, shelf, dimensions).await;
    text.and(vectors)
}

async fn catch_up_text(db: &Db, shelf: &Arc<Shelf>) -> Result<(), Problem> {
    let book = shelf.text();
    let mut applied = book.index.applied_seq();
    loop {
        let (batch, last) = text_batch(db, shelf, applied).await?;
        let Some(last) = last else { break };
        let at = Arc::clone(&book);
        let _indexing = Stage::begin("text_index");
        if let Err(error) = blocking(move || at.index.apply(&batch, last)).await? {
            return renew(db, shelf, &error.to_string()).await;
        }
        applied = last;
    }
    Ok(())
}

/// The index failed, perhaps for good: it begins anew, and the next round fills it.
async fn renew(db: &Db, shelf: &Arc<Shelf>, error: &str) -> Result<(), Problem> {
    tracing::error!(tenant = %shelf.tenant, error, "the text index failed; it is made anew");
    let caller = Caller::system("knowledge", shelf.tenant);
    let head = db.read(&caller, async |tx| documents::head(tx).await).await?;
    let at = Arc::clone(shelf);
    blocking(move || at.renew_text(head.unsigned_abs())).await?.map_err(Problem::internal)
}

/// The next changes with their passages, and the last one's number.
async fn text_batch(db: &Db, shelf: &Shelf, applied: u64) -> Result<(Vec<TextChange>, Option<u64>), Problem> {
    let (mut batch, mut last, mut size) = (Vec::new(), None, 0);
    for change in next(db, shelf, applied).await? {
        if size >= PASSAGES {
            break;
        }
        let rows = live_rows(db, shelf, &change).await?;
        size += rows.len();
        last = Some(change.seq.unsigned_abs());
        batch.push(text_change(&change, &rows));
    }
    Ok((batch, last))
}

async fn next(db: &Db, shelf: &Shelf, applied: u64) -> Result<Vec<Change>, Problem> {
    let caller = Caller::system("knowledge", shelf.tenant);
    let after = i64::try_from(applied).unwrap_or(i64::MAX);
    db.read(&caller, async |tx| changes::after(tx, after, CHANGES).await).await
}

/// The passages that the document is found by now.
async fn live_rows(db: &Db, shelf: &Shelf, change: &Change) -> Result<Vec<Stored>, Problem> {
    let Some(version) = change.live_version_id else { return Ok(Vec::new()) };
    let caller = Caller::system("knowledge", shelf.tenant);
    db.read(&caller, async |tx| passages::of_version(tx, change.document_id, version).await).await
}

fn text_change(change: &Change, rows: &[Stored]) -> TextChange {
    let document = change.document_id.uuid();
    if rows.is_empty() {
        return TextChange::Remove { document };
    }
    let passages = rows.iter().map(|row| TextPassage {
        passage: row.id.uuid(),
        terms: joined(&row.body),
        heading: joined(&row.heading),
    });
    TextChange::Put { document, collection: change.collection_id.uuid(), passages: passages.collect() }
}

async fn catch_up_vectors(
    db: &Db,
    shelf: &Arc<Shelf>,
    dimensions: impl Fn(&str) -> Option<usize>,
) -> Result<(), Problem> {
    let caller = Caller::system("knowledge", shelf.tenant);
    let (head, models) =
        db.read(&caller, async |tx| Ok::<_, Problem>((documents::head(tx).await?, changes::models(tx).await?))).await?;
    for model in models {
        let Some(dimensions) = dimensions(&model) else { continue };
        let (at, name) = (Arc::clone(shelf), model.clone());
        let opened = blocking(move || at.open_vectors(&name, dimensions, head.unsigned_abs())).await?;
        follow_model(db, shelf, &model, &opened.map_err(Problem::internal)?).await?;
    }
    Ok(())
}

async fn follow_model(db: &Db, shelf: &Arc<Shelf>, model: &str, book: &Arc<Book<VectorIndex>>) -> Result<(), Problem> {
    let mut changed = false;
    loop {
        let (batch, last) = vector_batch(db, shelf, model, book.index.applied_seq()).await?;
        let Some(last) = last else { break };
        let at = Arc::clone(book);
        let _indexing = Stage::begin("vector_index");
        blocking(move || at.index.apply(&batch, last)).await?.map_err(Problem::internal)?;
        changed = true;
    }
    if changed {
        let at = Arc::clone(book);
        blocking(move || {
            while at.index.tend(TEND) > 0 {}
            at.index.save()
        })
        .await?
        .map_err(Problem::internal)?;
    }
    Ok(())
}

async fn vector_batch(
    db: &Db,
    shelf: &Shelf,
    model: &str,
    applied: u64,
) -> Result<(Vec<VectorChange>, Option<u64>), Problem> {
    let (mut batch, mut last, mut size) = (Vec::new(), None, 0);
    for change in next(db, shelf, applied).await? {
        if size >= PASSAGES {
            break;
        }
        last = Some(change.seq.unsigned_abs());
        let rows = if change.model == model { live_rows(db, shelf, &change).await? } else { Vec::new() };
        size += rows.len();
        batch.push(vector_change(db, shelf, &change, rows).await?);
    }
    Ok((batch, last))
}

async fn vector_change(db: &Db, shelf: &Shelf, change: &Change, rows: Vec<Stored>) -> Result<VectorChange, Problem> {
    let document = change.document_id.uuid();
    let digests: Vec<embeddings::Digest> =
        rows.iter().filter_map(|row| row.digest.as_slice().try_into().ok()).collect();
    let caller = Caller::system("knowledge", shelf.tenant);
    let vectors = db.read(&caller, async |tx| embeddings::find(tx, &change.model, &digests).await).await?;
    let passages: Vec<VectorPassage> = rows
        .into_iter()
        .filter_map(|row| {
            let digest: embeddings::Digest = row.digest.as_slice().try_into().ok()?;
            Some(VectorPassage { passage: row.id.uuid(), vector: vectors.get(&digest)?.clone() })
        })
        .collect();
    if passages.is_empty() {
        return Ok(VectorChange::Remove { document });
    }
    Ok(VectorChange::Put { document, collection: change.collection_id.uuid(), passages })
}

/// Gives back what writing took, when nothing has changed for a while.
pub(super) async fn rest(shelf: &Arc<Shelf>) -> Result<(), Problem> {
    let _one = shelf.feeding.lock().await;
    let book = shelf.text();
    blocking(move || TextIndex::rest(&book.index)).await?.map_err(Problem::internal)
}

/// Leaves nothing of removed passages on the disk, and gives back what writing took.
pub(super) async fn expunge(shelf: &Arc<Shelf>) -> Result<(), Problem> {
    let _one = shelf.feeding.lock().await;
    let book = shelf.text();
    blocking(move || TextIndex::expunge(&book.index)).await?.map_err(Problem::internal)
}
