//! The GraphQL face.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use kernel::Problem;
use kernel::graphql::{caller, list};
use vault::{DocumentId, VersionId};

use crate::knowledge::Knowledge;
use crate::model::{DocumentText, Found, Ingest, ModelsView, Search, Status};

/// What can be asked about documents.
pub struct Query(Knowledge);

impl Query {
    /// The face of this search.
    pub const fn new(knowledge: Knowledge) -> Self {
        Self(knowledge)
    }
}

#[Object(name = "KnowledgeQuery")]
impl Query {
    /// The passages that answer, among the documents that the caller may read
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn search(&self, ctx: &Context<'_>, search: Search) -> Result<Found, Problem> {
        Ok(self.0.search(caller(ctx)?, &search, "search").await?)
    }

    /// The searchable documents that the caller may read with how far each is, the latest first
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn knowledge_documents(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Ingest>, Problem> {
        let (request, page) = self.0.documents(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// How far a document is
    async fn knowledge_document(&self, ctx: &Context<'_>, id: DocumentId) -> Result<Ingest, Problem> {
        Ok(self.0.ingest(caller(ctx)?, id).await?)
    }

    /// The text of a document version, or a part of it by byte offsets
    #[graphql(complexity = "50 + child_complexity")]
    async fn document_text(
        &self,
        ctx: &Context<'_>,
        id: DocumentId,
        version: Option<VersionId>,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Result<DocumentText, Problem> {
        Ok(self.0.text(caller(ctx)?, id, version, (from, to)).await?)
    }

    /// How the search stands
    async fn knowledge_status(&self, ctx: &Context<'_>) -> Result<Status, Problem> {
        Ok(self.0.status(caller(ctx)?).await?)
    }

    /// The embedding models that this installation knows
    async fn embedding_models(&self, ctx: &Context<'_>) -> Result<ModelsView, Problem> {
        Ok(self.0.embedding_models(caller(ctx)?)?)
    }
}

/// What can be done with documents.
pub struct Mutation(Knowledge);

impl Mutation {
    /// The face of this search.
    pub const fn new(knowledge: Knowledge) -> Self {
        Self(knowledge)
    }
}

#[Object(name = "KnowledgeMutation")]
impl Mutation {
    /// Takes a document's text out and indexes it anew
    async fn reread_document(&self, ctx: &Context<'_>, id: DocumentId) -> Result<Ingest, Problem> {
        Ok(self.0.reread(caller(ctx)?, id).await?)
    }
}
