//! Collections over REST.

use kernel::rest::{Auth, Body, Created, Listed, NoContent, Reply};
use kernel::{FieldMask, Problem};
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Tag, expected, params};
use crate::model::{Collection, CollectionId, NewCollection, UpdateCollection};
use crate::{Vault, listing};

pub(super) struct Api(pub(super) Vault);

#[OpenApi(prefix_path = "/api/v1/vault", tag = "Tag::Vault")]
impl Api {
    /// List the collections
    ///
    /// Those that you own or that were granted to you as a whole. Names can be filtered by in searchable ones only.
    #[oai(path = "/collections", method = "get", operation_id = "list_collections")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `searchable eq true`.
        filter: Query<Option<String>>,
        /// `-created_at`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Collection>, Problem> {
        let mask = FieldMask::parse(&listing::COLLECTIONS, fields.0.as_deref())?;
        let (_, page) = self.0.list_collections(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Create a collection
    ///
    /// You own it. Whether it is searchable can't be changed later: in one that is not, nothing of its documents is ever
    /// on the disk in the clear.
    #[oai(path = "/collections", method = "post", operation_id = "create_collection")]
    async fn create(&self, auth: Auth, new: Body<NewCollection>) -> Result<Created<Collection>, Problem> {
        Ok(Created(self.0.create_collection(&auth.0, new.0).await?))
    }

    /// Read a collection
    #[oai(path = "/collections/:id", method = "get", operation_id = "get_collection")]
    async fn get(
        &self,
        auth: Auth,
        id: Path<CollectionId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Collection>, Problem> {
        let mask = FieldMask::parse(&listing::COLLECTIONS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_collection(&auth.0, id.0).await?, mask))
    }

    /// Change a collection
    ///
    /// Needs `If-Match`; its owner only. Records that are there are measured by a new schema when they next change.
    #[oai(path = "/collections/:id", method = "patch", operation_id = "update_collection")]
    async fn update(
        &self,
        auth: Auth,
        id: Path<CollectionId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateCollection>,
    ) -> Result<Reply<Collection>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_collection(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a collection
    ///
    /// Needs `If-Match`; its owner only, and it must hold neither documents nor records. Documents in its trash go at
    /// once.
    #[oai(path = "/collections/:id", method = "delete", operation_id = "delete_collection")]
    async fn delete(
        &self,
        auth: Auth,
        id: Path<CollectionId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_collection(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }
}
