//! The REST face.

mod progress;

use kernel::rest::{Auth, Body, Etag, EventStream, Listed, Reply};
use kernel::{FieldMask, ListParams, Problem};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{OpenApi, Tags};
use vault::{DocumentId, VersionId};

use crate::knowledge::Knowledge;
use crate::listing::DOCUMENTS;
use crate::model::{DocumentText, Found, Ingest, ModelsView, Search, Status};

#[derive(Tags)]
enum Tag {
    /// Searching documents.
    #[oai(rename = "knowledge")]
    Knowledge,
}

impl Etag for Ingest {
    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

impl Etag for Found {
    fn version(&self) -> Option<i64> {
        None
    }
}

impl Etag for DocumentText {
    fn version(&self) -> Option<i64> {
        None
    }
}

impl Etag for ModelsView {
    fn version(&self) -> Option<i64> {
        None
    }
}

impl Etag for Status {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// The resources under `/api/v1/knowledge`.
pub struct Api(Knowledge);

impl Api {
    /// The face of this search.
    pub const fn new(knowledge: Knowledge) -> Self {
        Self(knowledge)
    }
}

#[OpenApi(prefix_path = "/api/v1/knowledge", tag = "Tag::Knowledge")]
impl Api {
    /// Search documents
    ///
    /// Finds the passages that answer, among the documents that the caller may read. `rung` says which way of searching
    /// answered, and why not a better one.
    #[oai(path = "/search", method = "post", operation_id = "search")]
    async fn search(&self, auth: Auth, search: Body<Search>) -> Result<Reply<Found>, Problem> {
        Ok(Reply::new(self.0.search(&auth.0, &search.0, "search").await?))
    }

    /// List documents with how far each is
    ///
    /// The searchable documents that the caller may read, the latest first.
    #[oai(path = "/documents", method = "get", operation_id = "list_knowledge_documents")]
    async fn documents(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `state eq "failed"`.
        filter: Query<Option<String>>,
        /// In which order, such as `-updated_at`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Ingest>, Problem> {
        let mask = FieldMask::parse(&DOCUMENTS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.documents(&auth.0, &params).await?.1, mask))
    }

    /// Get how far a document is
    #[oai(path = "/documents/:id", method = "get", operation_id = "get_knowledge_document")]
    async fn document(&self, auth: Auth, id: Path<DocumentId>) -> Result<Reply<Ingest>, Problem> {
        Ok(Reply::new(self.0.ingest(&auth.0, id.0).await?))
    }

    /// Read a document again
    ///
    /// Takes its text out and indexes it anew. What is found of it stays until that is done.
    #[oai(path = "/documents/:id/reread", method = "post", operation_id = "reread_document")]
    async fn reread(&self, auth: Auth, id: Path<DocumentId>) -> Result<Reply<Ingest>, Problem> {
        Ok(Reply::new(self.0.reread(&auth.0, id.0).await?))
    }

    /// Get a document's text
    ///
    /// The text of a version, or a part of it by the byte offsets that search results and citations give.
    #[oai(path = "/documents/:id/text", method = "get", operation_id = "get_document_text")]
    async fn text(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// Which version; the one that is found when left out.
        version: Query<Option<VersionId>>,
        /// The first byte; 0 when left out.
        from: Query<Option<i64>>,
        /// One past the last byte; the end when left out.
        to: Query<Option<i64>>,
    ) -> Result<Reply<DocumentText>, Problem> {
        Ok(Reply::new(self.0.text(&auth.0, id.0, version.0, (from.0, to.0)).await?))
    }

    /// Watch how far documents are
    ///
    /// Server-sent events `document`, each with a document that the caller may read as it has changed. Ends after five
    /// minutes; resumes after `Last-Event-ID` with the latest state of what has changed since.
    #[oai(path = "/progress", method = "get", operation_id = "follow_knowledge_progress")]
    async fn progress(
        &self,
        auth: Auth,
        /// The id of the last event that you got.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<EventStream, Problem> {
        let since = progress::since(last_event_id.0.as_deref())?;
        Ok(progress::events(self.0.follow_progress(&auth.0, since)?))
    }

    /// Get how the search stands
    #[oai(path = "/status", method = "get", operation_id = "get_knowledge_status")]
    async fn status(&self, auth: Auth) -> Result<Reply<Status>, Problem> {
        Ok(Reply::new(self.0.status(&auth.0).await?))
    }

    /// List embedding models
    ///
    /// Those that this installation knows, and whether each can be used.
    #[oai(path = "/models", method = "get", operation_id = "list_embedding_models")]
    async fn models(&self, auth: Auth) -> Result<Reply<ModelsView>, Problem> {
        Ok(Reply::new(self.0.embedding_models(&auth.0)?))
    }
}
