//! How far documents are, their text, and having one read again.

use audit::Entry;
use kernel::{Caller, ListParams, ListRequest, Page, Problem};
use serde_json::json;
use uuid::Uuid;
use vault::{DocumentId, Reach, VersionId};

use crate::error::Error;
use crate::extract::ExtractError;
use crate::ingest::hear::promise;
use crate::ingest::job::bytes;
use crate::ingest::{Heard, PROGRESS_BELL};
use crate::knowledge::Knowledge;
use crate::listing::DOCUMENTS;
use crate::model::{DocumentText, Ingest, IngestState, ModelsView, Status, whole};
use crate::models::excuse;
use crate::permissions::{READ, WRITE};
use crate::store::documents;

/// The most texts of one request for vectors, and the most bytes of one text.
const MOST_TEXTS: usize = 256;
const MOST_BYTES: usize = 64 * 1024;

impl Knowledge {
    /// A page of the documents that the caller may read, with how far each is.
    ///
    /// # Errors
    /// A parameter that can't be read, or the caller lacks [`READ`].
    pub async fn documents(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Ingest>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&DOCUMENTS, params, caller, self.db().keys())?;
        let reach = self.vault().reach(caller).await?;
        let places = places(&reach);
        let places = places.as_ref().map(|(collections, documents)| (collections.as_slice(), documents.as_slice()));
        let rows = self.db().read(caller, async |tx| documents::page(tx, &request, places).await).await?;
        let page = request.page(rows)?;
        Ok((request, page))
    }

    /// One document that the caller may read, with how far it is.
    ///
    /// # Errors
    /// 404, also when the document may not be read or is not searched; the caller lacks [`READ`].
    pub async fn ingest(&self, caller: &Caller, document: DocumentId) -> Result<Ingest, Error> {
        caller.require(READ)?;
        let reach = self.vault().reach(caller).await?;
        let found = self.db().read(caller, async |tx| documents::find(tx, document).await).await?;
        let found = found.filter(|found| reach.covers(found.collection, document));
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Has a document read and indexed again; what is found of it stays until that is done.
    ///
    /// # Errors
    /// [`Error::NotAtRest`], 404, or the caller lacks [`WRITE`].
    pub async fn reread(&self, caller: &Caller, document: DocumentId) -> Result<Ingest, Error> {
        caller.require(WRITE)?;
        let found = self.ingest(caller, document).await?;
        if !matches!(found.state, IngestState::Ready | IngestState::Failed) {
            return Err(Error::NotAtRest(found.state.word().to_owned()));
        }
        let heard = Heard {
            document,
            collection: found.collection,
            version: found.newest,
            name: found.name.clone(),
            media_type: found.media_type.clone(),
            size: found.size,
            model: found.model.clone(),
        };
        self.db()
            .write_once(caller, "knowledge.reread", &document, async |tx| {
                documents::queue(tx, &heard, heard.model.as_deref().unwrap_or_default()).await?;
                promise(tx, &heard).await?;
                let entry = Entry::success("knowledge.document_reread").target("document", document);
                audit::append(tx, caller, entry).await?;
                tx.ring_on_commit(PROGRESS_BELL);
                Ok(documents::find(tx, document).await?.ok_or_else(Problem::not_found)?)
            })
            .await
    }

    /// Whether the caller may read every one of these documents now, and all are still found.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or what the database says.
    pub async fn may_read(&self, caller: &Caller, documents: &[DocumentId]) -> Result<bool, Error> {
        caller.require(READ)?;
        let reach = self.vault().reach(caller).await?;
        let places = self.db().read(caller, async |tx| documents::places(tx, documents).await).await?;
        let may = |id: &DocumentId| {
            places.iter().any(|place| place.document_id == *id && reach.covers(place.collection_id, *id))
        };
        Ok(documents.iter().all(may))
    }

    /// A part of the text of a document version, taken out of its bytes anew: what a citation must match.
    ///
    /// # Errors
    /// [`Error::RangeInvalid`], 404 when the document may not be read or has no such version, 422 when no text can be
    /// had, or the caller lacks [`READ`].
    pub async fn text(
        &self,
        caller: &Caller,
        document: DocumentId,
        version: Option<VersionId>,
        (from, to): (Option<i64>, Option<i64>),
    ) -> Result<DocumentText, Error> {
        let found = self.ingest(caller, document).await?;
        let version = version.or(found.live_version).unwrap_or(found.newest);
        let acting = Caller::system("knowledge", caller.tenant);
        let source = self.vault().source(&acting, document, version, "knowledge.text").await?;
        let (media_type, name) = (source.media_type.clone(), source.name.clone());
        let extracted = match self.extractor().extract(bytes(source), &media_type, &name).await {
            Ok(extracted) => extracted,
            Err(ExtractError::Unreadable(unreadable)) => {
                let code = format!("knowledge.{}", unreadable.state());
                return Err(Problem::new(kernel::Kind::Invalid, code, unreadable.to_string()).into());
            }
            Err(error) => return Err(Problem::internal(error).into()),
        };
        let entry = Entry::success("knowledge.text_read").target("document", document);
        let entry = entry.details(json!({ "purpose": "read", "version": version }));
        audit::record(self.db(), caller, entry).await?;
        let text = extracted.text;
        let at =
            |offset: Option<i64>, default: usize| offset.map_or(Some(default), |offset| usize::try_from(offset).ok());
        let range = at(from, 0).zip(at(to, text.len()));
        let part = range.and_then(|(from, to)| text.get(from..to).map(|part| (from, part)));
        let (from, part) = part.ok_or(Error::RangeInvalid(text.len()))?;
        Ok(DocumentText {
            document,
            version,
            text: part.to_owned(),
            start: whole(from),
            end: whole(from + part.len()),
            total: whole(text.len()),
        })
    }

    /// How the search of the caller's tenant stands.
    ///
    /// # Errors
    /// The caller lacks [`READ`].
    pub async fn status(&self, caller: &Caller) -> Result<Status, Error> {
        caller.require(READ)?;
        let read = self
            .db()
            .read(caller, async |tx| Ok::<_, Problem>((documents::totals(tx).await?, documents::head(tx).await?)));
        let (totals, seq) = read.await?;
        let shelf = self.shelf(caller.tenant).await?;
        let text = shelf.text().index.applied_seq();
        let vectors = shelf.vectors().into_iter().map(|(_, book)| book.index.applied_seq()).min();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(Status {
            documents: totals.documents,
            passages: totals.passages,
            in_progress: totals.in_progress,
            failed: totals.failed,
            seq,
            text_seq: signed(text),
            vector_seq: vectors.map_or(0, signed),
        })
    }

    /// The embedding models that this installation knows.
    ///
    /// # Errors
    /// The caller lacks [`READ`].
    pub fn embedding_models(&self, caller: &Caller) -> Result<ModelsView, Error> {
        caller.require(READ)?;
        Ok(ModelsView { items: self.models().views() })
    }

    /// The names of the embedding models that can be used here.
    pub fn usable_models(&self) -> Vec<String> {
        self.models().views().into_iter().filter(|model| model.usable).map(|model| model.name).collect()
    }

    /// The vectors of some texts, for programs that keep their own. Without a model's name, the default one's; the
    /// name of the model that was used comes with them.
    ///
    /// # Errors
    /// [`Error::TooMuchToEmbed`], [`Error::Model`], or the caller lacks [`READ`].
    pub async fn embed(
        &self,
        caller: &Caller,
        model: Option<&str>,
        texts: Vec<String>,
    ) -> Result<(String, Vec<Vec<f32>>), Error> {
        caller.require(READ)?;
        if texts.is_empty() || texts.len() > MOST_TEXTS || texts.iter().any(|text| text.len() > MOST_BYTES) {
            return Err(Error::TooMuchToEmbed { max: MOST_TEXTS, bytes: MOST_BYTES });
        }
        let model = model.unwrap_or(self.default_model());
        let vectors =
            self.models().embed(model, texts).await.map_err(|error| Error::Model(format!("{}.", excuse(&error))))?;
        Ok((model.to_owned(), vectors))
    }
}

/// The collections and documents of a reach; `None` for everything.
pub(crate) fn places(reach: &Reach) -> Option<(Vec<Uuid>, Vec<Uuid>)> {
    (!reach.everything).then(|| {
        let collections = reach.collections.iter().map(|id| id.uuid()).collect();
        (collections, reach.documents.iter().map(|id| id.uuid()).collect())
    })
}
