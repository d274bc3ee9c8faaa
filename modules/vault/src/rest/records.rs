//! Records over REST.

use kernel::rest::{Auth, Body, Created, Listed, NoContent, Reply};
use kernel::{FieldMask, Problem};
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Tag, expected, params};
use crate::model::{NewRecord, Record, RecordId, UpdateRecord};
use crate::{Vault, listing};

pub(super) struct Api(pub(super) Vault);

#[OpenApi(prefix_path = "/api/v1/vault", tag = "Tag::Vault")]
impl Api {
    /// List the records
    ///
    /// Those that you may read. What they say is sealed at rest, so it can't be filtered by.
    #[oai(path = "/records", method = "get", operation_id = "list_records")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `collection_id eq "col_…"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Record>, Problem> {
        let mask = FieldMask::parse(&listing::RECORDS, fields.0.as_deref())?;
        let (_, page) = self.0.list_records(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Create a record
    ///
    /// It must fit its collection's schema.
    #[oai(path = "/records", method = "post", operation_id = "create_record")]
    async fn create(&self, auth: Auth, new: Body<NewRecord>) -> Result<Created<Record>, Problem> {
        Ok(Created(self.0.create_record(&auth.0, new.0).await?))
    }

    /// Read a record
    #[oai(path = "/records/:id", method = "get", operation_id = "get_record")]
    async fn get(
        &self,
        auth: Auth,
        id: Path<RecordId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Record>, Problem> {
        let mask = FieldMask::parse(&listing::RECORDS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_record(&auth.0, id.0).await?, mask))
    }

    /// Change a record
    ///
    /// Needs `If-Match`. What comes of the merge patch must fit the collection's schema.
    #[oai(path = "/records/:id", method = "patch", operation_id = "update_record")]
    async fn update(
        &self,
        auth: Auth,
        id: Path<RecordId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateRecord>,
    ) -> Result<Reply<Record>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_record(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a record
    ///
    /// Needs `If-Match`. It is gone for good.
    #[oai(path = "/records/:id", method = "delete", operation_id = "delete_record")]
    async fn delete(
        &self,
        auth: Auth,
        id: Path<RecordId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_record(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }
}
