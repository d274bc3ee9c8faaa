//! Reading over GraphQL.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use kernel::Problem;
use kernel::graphql::{caller, list};

use crate::Vault;
use crate::model::{Collection, CollectionId, Document, DocumentId, DocumentVersion, Grant, GrantId, Record, RecordId};

/// Seeing the vault.
pub struct Query(Vault);

impl Query {
    /// The face of this vault.
    pub const fn new(vault: Vault) -> Self {
        Self(vault)
    }
}

/// What a page may cost.
fn page_cost(first: Option<i64>, child: usize) -> usize {
    usize::try_from(first.unwrap_or(50)).unwrap_or(0).saturating_mul(child)
}

#[Object(name = "VaultQuery")]
impl Query {
    /// List the collections that you own or that were granted to you as a whole
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn collections(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Collection>, Problem> {
        let (request, page) = self.0.list_collections(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a collection
    async fn collection(&self, ctx: &Context<'_>, id: CollectionId) -> Result<Collection, Problem> {
        Ok(self.0.get_collection(caller(ctx)?, id).await?)
    }

    /// List the documents that you may read, or with `deleted` those that can be restored
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn documents(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
        deleted: Option<bool>,
    ) -> Result<Connection<String, Document>, Problem> {
        let params = list(first, after, filter, sort);
        let (request, page) = self.0.list_documents(caller(ctx)?, &params, deleted.unwrap_or(false)).await?;
        request.connection(page)
    }

    /// Read what is known about a document
    async fn document(&self, ctx: &Context<'_>, id: DocumentId) -> Result<Document, Problem> {
        Ok(self.0.get_document(caller(ctx)?, id).await?)
    }

    /// List the versions of a document
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn document_versions(
        &self,
        ctx: &Context<'_>,
        id: DocumentId,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, DocumentVersion>, Problem> {
        let params = list(first, after, filter, sort);
        let (request, page) = self.0.list_document_versions(caller(ctx)?, id, &params).await?;
        request.connection(page)
    }

    /// List the records that you may read
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Record>, Problem> {
        let (request, page) = self.0.list_records(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a record
    async fn record(&self, ctx: &Context<'_>, id: RecordId) -> Result<Record, Problem> {
        Ok(self.0.get_record(caller(ctx)?, id).await?)
    }

    /// List the grants on what you own
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn grants(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Grant>, Problem> {
        let (request, page) = self.0.list_grants(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a grant
    async fn grant(&self, ctx: &Context<'_>, id: GrantId) -> Result<Grant, Problem> {
        Ok(self.0.get_grant(caller(ctx)?, id).await?)
    }
}
