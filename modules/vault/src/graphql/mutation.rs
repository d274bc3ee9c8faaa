//! Changing over GraphQL.

use async_graphql::{Context, Object};
use kernel::graphql::caller;
use kernel::{Expected, Problem};

use crate::Vault;
use crate::model::{
    Collection, CollectionId, Document, DocumentId, Grant, GrantId, NewCollection, NewGrant, NewRecord, Record,
    RecordId, UpdateCollection, UpdateDocument, UpdateRecord,
};

/// Changing the vault.
pub struct Mutation(Vault);

impl Mutation {
    /// The face of this vault.
    pub const fn new(vault: Vault) -> Self {
        Self(vault)
    }
}

#[Object(name = "VaultMutation")]
impl Mutation {
    /// Create a collection; whether it is searchable can't be changed later
    async fn create_collection(&self, ctx: &Context<'_>, new: NewCollection) -> Result<Collection, Problem> {
        Ok(self.0.create_collection(caller(ctx)?, new).await?)
    }

    /// Change a collection; needs the version
    async fn update_collection(
        &self,
        ctx: &Context<'_>,
        id: CollectionId,
        version: Option<i64>,
        update: UpdateCollection,
    ) -> Result<Collection, Problem> {
        Ok(self.0.update_collection(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a collection that holds nothing; needs the version
    async fn delete_collection(
        &self,
        ctx: &Context<'_>,
        id: CollectionId,
        version: Option<i64>,
    ) -> Result<bool, Problem> {
        self.0.delete_collection(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Rename a document; needs the version
    async fn update_document(
        &self,
        ctx: &Context<'_>,
        id: DocumentId,
        version: Option<i64>,
        update: UpdateDocument,
    ) -> Result<Document, Problem> {
        Ok(self.0.update_document(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a document; needs the version, and it can be restored until `purgeAt`
    async fn delete_document(
        &self,
        ctx: &Context<'_>,
        id: DocumentId,
        version: Option<i64>,
    ) -> Result<Document, Problem> {
        Ok(self.0.delete_document(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Take the deletion of a document back; needs the version
    async fn restore_document(
        &self,
        ctx: &Context<'_>,
        id: DocumentId,
        version: Option<i64>,
    ) -> Result<Document, Problem> {
        Ok(self.0.restore_document(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Create a record that fits its collection's schema
    async fn create_record(&self, ctx: &Context<'_>, new: NewRecord) -> Result<Record, Problem> {
        Ok(self.0.create_record(caller(ctx)?, new).await?)
    }

    /// Change a record by a merge patch; needs the version
    async fn update_record(
        &self,
        ctx: &Context<'_>,
        id: RecordId,
        version: Option<i64>,
        update: UpdateRecord,
    ) -> Result<Record, Problem> {
        Ok(self.0.update_record(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a record for good; needs the version
    async fn delete_record(&self, ctx: &Context<'_>, id: RecordId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.delete_record(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Grant access to a collection or a document that you own
    async fn create_grant(&self, ctx: &Context<'_>, new: NewGrant) -> Result<Grant, Problem> {
        Ok(self.0.create_grant(caller(ctx)?, new).await?)
    }

    /// Take a grant away
    async fn delete_grant(&self, ctx: &Context<'_>, id: GrantId) -> Result<bool, Problem> {
        self.0.delete_grant(caller(ctx)?, id).await?;
        Ok(true)
    }
}
