//! Grants over REST.

use kernel::rest::{Auth, Body, Created, Listed, NoContent, Reply};
use kernel::{FieldMask, Problem};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::{Tag, params};
use crate::model::{Grant, GrantId, NewGrant};
use crate::{Vault, listing};

pub(super) struct Api(pub(super) Vault);

#[OpenApi(prefix_path = "/api/v1/vault", tag = "Tag::Vault")]
impl Api {
    /// List the grants
    ///
    /// Those on what you own.
    #[oai(path = "/grants", method = "get", operation_id = "list_grants")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `document_id eq "doc_…"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `valid_from` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Grant>, Problem> {
        let mask = FieldMask::parse(&listing::GRANTS, fields.0.as_deref())?;
        let (_, page) = self.0.list_grants(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Grant access
    ///
    /// To a collection or a document that you own: for an account, a role or everyone in the tenant.
    #[oai(path = "/grants", method = "post", operation_id = "create_grant")]
    async fn create(&self, auth: Auth, new: Body<NewGrant>) -> Result<Created<Grant>, Problem> {
        Ok(Created(self.0.create_grant(&auth.0, new.0).await?))
    }

    /// Read a grant
    #[oai(path = "/grants/:id", method = "get", operation_id = "get_grant")]
    async fn get(
        &self,
        auth: Auth,
        id: Path<GrantId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Grant>, Problem> {
        let mask = FieldMask::parse(&listing::GRANTS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_grant(&auth.0, id.0).await?, mask))
    }

    /// Take a grant away
    ///
    /// Who read by it stops at the next request, and a download at its next bytes.
    #[oai(path = "/grants/:id", method = "delete", operation_id = "delete_grant")]
    async fn delete(&self, auth: Auth, id: Path<GrantId>) -> Result<NoContent, Problem> {
        self.0.delete_grant(&auth.0, id.0).await?;
        Ok(NoContent)
    }
}
