//! Documents' bytes over REST.

use kernel::Problem;
use kernel::rest::Auth;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::Tag;
use super::download::{Conditions, Download};
use crate::Vault;
use crate::model::{DocumentId, VersionId};

pub(super) struct Api(pub(super) Vault);

#[OpenApi(prefix_path = "/api/v1/vault", tag = "Tag::Vault")]
impl Api {
    /// Download a document
    ///
    /// One range of bytes at once (RFC 9110, section 14). The entity tag is the SHA-256 of the whole version. It stops
    /// when your right to read ends.
    #[oai(path = "/documents/:id/content", method = "get", operation_id = "get_document_content")]
    async fn download(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// An older version than the newest.
        version: Query<Option<VersionId>>,
        /// Such as `bytes=0-1023`.
        #[oai(name = "Range")]
        range: Header<Option<String>>,
        /// The range is answered only if this is still the entity tag.
        #[oai(name = "If-Range")]
        if_range: Header<Option<String>>,
        /// An entity tag that you have.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Download, Problem> {
        let content = self.0.content(&auth.0, id.0, version.0).await?;
        let conditions = Conditions { range: range.0, if_range: if_range.0, if_none_match: if_none_match.0 };
        Download::of(content, &conditions).await
    }
}
