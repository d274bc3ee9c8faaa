//! The work on one version of one document.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use jobs::{Handler, Run};
use kernel::{Problem, Tx};
use serde::Deserialize;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;
use vault::{DocumentId, Source, Vault, VersionId};

use super::pieces::{Piece, cut};
use super::stages::Stage;
use super::{CHANGE_BELL, PROGRESS_BELL, later};
use crate::analysis;
use crate::blocking::blocking;
use crate::extract::{ExtractError, Extracted, Extractor};
use crate::model::{IngestState, whole};
use crate::models::ModelRoom;
use crate::store::embeddings::Digest;
use crate::store::{documents, embeddings, passages, terms};

pub(crate) const KIND: &str = "knowledge.ingest";
/// Passages that are embedded and written together.
pub(super) const BATCH: usize = 64;
/// Failures, of which a process that went down is one, after which a version counts as unreadable.
const TRIES: u32 = 5;
/// The attempts of a job: one more than may fail, which notes that they did.
pub(super) const ATTEMPTS: u32 = TRIES + 1;

/// Reads versions of documents.
pub(crate) struct Reader {
    pub(crate) vault: Vault,
    pub(crate) extractor: Arc<Extractor>,
    pub(crate) models: Arc<ModelRoom>,
    pub(crate) db: kernel::Db,
    /// For collections that name no model.
    pub(crate) default_model: String,
}

#[derive(Deserialize)]
struct Payload {
    document: DocumentId,
    version: VersionId,
}

/// What became of a version's vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vectors {
    /// All are there, or there will be none.
    Settled,
    /// The model failed on some; they come later.
    Owed,
}

#[async_trait]
impl Handler for Reader {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn timeout(&self) -> Option<std::time::Duration> {
        Some(std::time::Duration::from_secs(6 * 3600))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let payload: Payload = serde_json::from_value(run.payload.clone()).map_err(Problem::internal)?;
        let target = (payload.document, payload.version);
        if run.failures >= TRIES {
            return self.fail(run, target, &Refusal::gave_up()).await;
        }
        let Some(model) = self.begin(run, target).await? else { return Ok(()) };
        let extracted = match self.extract(run, target).await? {
            Ok(extracted) => extracted,
            Err(refusal) => return self.fail(run, target, &refusal).await,
        };
        let name = self.name(run, payload.document).await?;
        let title = extracted.title.clone();
        let pieces = {
            let _cutting = Stage::begin("cut");
            blocking(move || cut(&extracted, &name)).await?
        };
        if pieces.is_empty() {
            return self.fail(run, target, &Refusal::no_text()).await;
        }
        let Some(vectors) = self.embed(run, target, &model, &pieces).await? else { return Ok(()) };
        let owed = (vectors == Vectors::Owed).then_some(model);
        self.go_live(run, target, title.as_deref(), pieces, owed).await
    }
}

/// Why a version can't be read, for good.
struct Refusal {
    reason: String,
    detail: String,
}

impl Refusal {
    fn no_text() -> Self {
        let detail = "There is no text in the document; a scanned one needs text recognition first.".to_owned();
        Self { reason: "no_text".to_owned(), detail }
    }

    fn gave_up() -> Self {
        let detail =
            format!("Reading it failed {TRIES} times for reasons of ours; its job and the log say more. Read it anew.");
        Self { reason: "gave_up".to_owned(), detail }
    }
}

impl Reader {
    /// Notes that the reading begins: the embedding model, or `None` when the version is no longer wanted.
    async fn begin(&self, run: &Run, target: (DocumentId, VersionId)) -> Result<Option<String>, Problem> {
        let caller = run.caller();
        let Some(found) = self.db.read(&caller, async |tx| documents::find(tx, target.0).await).await? else {
            return Ok(None);
        };
        let collection = self.vault.get_collection(&caller, found.collection).await?;
        let model = collection.model.filter(|model| !model.is_empty()).unwrap_or_else(|| self.default_model.clone());
        self.db
            .write(&caller, async |tx| {
                if !documents::progress(tx, target, IngestState::Extracting, (0, 0)).await? {
                    return Ok(None);
                }
                documents::set_model(tx, target.0, &model).await?;
                tx.ring_on_commit(PROGRESS_BELL);
                Ok(Some(model.clone()))
            })
            .await
    }

    async fn name(&self, run: &Run, document: DocumentId) -> Result<String, Problem> {
        let found = self.db.read(&run.caller(), async |tx| documents::find(tx, document).await).await?;
        Ok(found.map_or_else(String::new, |found| found.name))
    }

    async fn extract(
        &self,
        run: &Run,
        (document, version): (DocumentId, VersionId),
    ) -> Result<Result<Extracted, Refusal>, Problem> {
        let _extracting = Stage::begin("extract");
        let source = self.vault.source(&run.caller(), document, version, "knowledge.ingest").await?;
        let (media_type, name) = (source.media_type.clone(), source.name.clone());
        match self.extractor.extract(bytes(source), &media_type, &name).await {
            Ok(extracted) => Ok(Ok(extracted)),
            Err(ExtractError::Unreadable(unreadable)) => {
                Ok(Err(Refusal { reason: unreadable.state().to_owned(), detail: unreadable.to_string() }))
            }
            // Such as a child that can't be started: tried again.
            Err(error) => Err(Problem::internal(error)),
        }
    }

    /// Ends in the failed state: the job is done, the document is not.
    async fn fail(&self, run: &Run, target: (DocumentId, VersionId), refusal: &Refusal) -> Result<(), Problem> {
        run.settle_with(async |tx: &Tx| {
            documents::fail(tx, target, &refusal.reason, &refusal.detail).await?;
            tx.ring_on_commit(PROGRESS_BELL);
            Ok(())
        })
        .await
    }

    /// Writes all passages with their vectors; `None` when the version is no longer wanted.
    async fn embed(
        &self,
        run: &Run,
        target: (DocumentId, VersionId),
        model: &str,
        pieces: &[Piece],
    ) -> Result<Option<Vectors>, Problem> {
        let total = whole(pieces.len());
        let (mut done, mut came) = (0, Vectors::Settled);
        for batch in pieces.chunks(BATCH) {
            if run.is_cancelled() {
                return Err(Problem::unavailable("knowledge.stopped", "The work was called off.", BACK));
            }
            let vectors = match came {
                Vectors::Settled => self.vectors(run, model, batch).await?,
                Vectors::Owed => None,
            };
            came = if vectors.is_some() { came } else { Vectors::Owed };
            let vectors = vectors.unwrap_or_default();
            done += whole(batch.len());
            let drafts: Vec<_> = batch.iter().map(|piece| piece.draft.clone()).collect();
            let caller = run.caller();
            let _writing = Stage::begin("write");
            let wanted = self
                .db
                .write(&caller, async |tx| {
                    // First, for it locks the row: a deletion that comes now waits, and finds what was written.
                    if !documents::progress(tx, target, IngestState::Embedding, (done, total)).await? {
                        return Ok::<_, Problem>(false);
                    }
                    embeddings::keep(tx, model, &vectors).await?;
                    passages::stage(tx, target.0, target.1, &drafts).await?;
                    tx.ring_on_commit(PROGRESS_BELL);
                    Ok(true)
                })
                .await?;
            if !wanted {
                return Ok(None);
            }
            // A document of one batch is done with it: nobody could watch, and it would be a commit more.
            if pieces.len() > BATCH {
                run.progress(done.unsigned_abs(), total.unsigned_abs(), "passages").await?;
            }
        }
        Ok(Some(came))
    }

    /// The vectors of those passages whose content has none yet; `None` when the model failed on them. Without a usable
    /// model there are none: words are searched all the same.
    async fn vectors(
        &self,
        run: &Run,
        model: &str,
        batch: &[Piece],
    ) -> Result<Option<Vec<(Digest, Vec<f32>)>>, Problem> {
        if model.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let digests: Vec<Digest> = batch.iter().map(|piece| piece.draft.digest).collect();
        let known = self.db.read(&run.caller(), async |tx| embeddings::find(tx, model, &digests).await).await?;
        let mut seen = BTreeSet::new();
        let missing: Vec<(Digest, String)> = batch
            .iter()
            .filter(|piece| !known.contains_key(&piece.draft.digest) && seen.insert(piece.draft.digest))
            .map(|piece| (piece.draft.digest, piece.context.clone()))
            .collect();
        if missing.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let (digests, texts): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
        let _embedding = Stage::begin("embed");
        Ok(match self.models.embed(model, texts).await {
            Ok(vectors) => Some(digests.into_iter().zip(vectors).collect()),
            Err(error) if error.may_pass() => {
                tracing::warn!(model, %error, "passages get their vectors later");
                None
            }
            Err(error) => {
                tracing::warn!(model, %error, "passages stay without vectors");
                Some(Vec::new())
            }
        })
    }

    /// Puts the version in the place of the one before: in one transaction with the job's end, and with the promise of
    /// the vectors that this model owes.
    async fn go_live(
        &self,
        run: &Run,
        target: (DocumentId, VersionId),
        title: Option<&str>,
        pieces: Vec<Piece>,
        owed: Option<String>,
    ) -> Result<(), Problem> {
        let count = whole(pieces.len());
        let words = blocking(move || vocabulary(&pieces)).await?;
        let _writing = Stage::begin("write");
        let went_live = run
            .settle_with(async |tx: &Tx| {
                let live = documents::go_live(tx, target, title, count).await?;
                if live {
                    passages::drop_others(tx, target.0, target.1).await?;
                    terms::replace(tx, target.0.uuid(), &words).await?;
                    if let Some(model) = &owed {
                        later::promise(tx, target, model).await?;
                    }
                    tx.ring_on_commit(CHANGE_BELL);
                    tx.ring_on_commit(PROGRESS_BELL);
                }
                Ok::<_, Problem>(live)
            })
            .await?;
        if went_live {
            metrics::counter!("holdfast_knowledge_documents_total").increment(1);
            metrics::counter!("holdfast_knowledge_passages_total").increment(count.unsigned_abs());
        }
        Ok(())
    }
}

const BACK: std::time::Duration = std::time::Duration::from_secs(1);

/// The different terms of all passages and their headings, in order, so that two writers lock rows in one order.
fn vocabulary(pieces: &[Piece]) -> Vec<String> {
    let mut words = BTreeSet::new();
    for piece in pieces {
        words.extend(
            analysis::terms(&piece.draft.body).chain(analysis::terms(&piece.draft.heading)).map(|term| term.text),
        );
    }
    words.into_iter().collect()
}

/// The plaintext of a version, as it is read.
pub(crate) fn bytes(source: Source) -> impl AsyncRead + Unpin {
    let chunks = stream::unfold(source, |mut source| async move {
        let chunk = source.chunk().await.map_err(|problem| io::Error::other(problem.detail)).transpose()?;
        Some((chunk, source))
    });
    StreamReader::new(Box::pin(chunks))
}
