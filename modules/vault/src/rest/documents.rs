//! Documents and their versions over REST. (One path is one face's: uploads are here too.)

use kernel::rest::{Accepted, Auth, Body, Created, Listed, Reply};
use kernel::{FieldMask, Problem};
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::uploaded::Uploaded;
use super::{Tag, expected, params};
use crate::model::{CollectionId, Document, DocumentId, DocumentVersion, UpdateDocument};
use crate::{Incoming, Vault, listing};

pub(super) struct Api(pub(super) Vault);

#[OpenApi(prefix_path = "/api/v1/vault", tag = "Tag::Vault")]
impl Api {
    /// List the documents
    ///
    /// Those that you may read. Names and media types can be filtered by in searchable collections only.
    #[oai(path = "/documents", method = "get", operation_id = "list_documents")]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the operation")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `collection_id eq "col_…"` or `name sw "report"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `updated_at`, `size` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
        /// True for the deleted ones, which can be restored until `purge_at`.
        deleted: Query<Option<bool>>,
    ) -> Result<Listed<Document>, Problem> {
        let mask = FieldMask::parse(&listing::DOCUMENTS, fields.0.as_deref())?;
        let params = params(limit.0, [cursor.0, filter.0, sort.0]);
        let (_, page) = self.0.list_documents(&auth.0, &params, deleted.0.unwrap_or(false)).await?;
        Ok(Listed(page, mask))
    }

    /// Read what is known about a document
    #[oai(path = "/documents/:id", method = "get", operation_id = "get_document")]
    async fn get(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Document>, Problem> {
        let mask = FieldMask::parse(&listing::DOCUMENTS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_document(&auth.0, id.0).await?, mask))
    }

    /// Rename a document
    ///
    /// Needs `If-Match`.
    #[oai(path = "/documents/:id", method = "patch", operation_id = "update_document")]
    async fn update(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateDocument>,
    ) -> Result<Reply<Document>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_document(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a document
    ///
    /// Needs `If-Match`. Readers don't see it from now on; until `purge_at` it can be restored.
    #[oai(path = "/documents/:id", method = "delete", operation_id = "delete_document")]
    async fn delete(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Accepted<Document>, Problem> {
        Ok(Accepted(self.0.delete_document(&auth.0, id.0, expected(&if_match)).await?))
    }

    /// Take the deletion of a document back
    ///
    /// Needs `If-Match`.
    #[oai(path = "/documents/:id/restore", method = "post", operation_id = "restore_document")]
    async fn restore(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Reply<Document>, Problem> {
        Ok(Reply::new(self.0.restore_document(&auth.0, id.0, expected(&if_match)).await?))
    }

    /// List the versions of a document
    #[oai(path = "/documents/:id/versions", method = "get", operation_id = "list_document_versions")]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the operation")]
    async fn list_versions(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `size gt 1000`.
        filter: Query<Option<String>>,
        /// `-number`, `created_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<DocumentVersion>, Problem> {
        let mask = FieldMask::parse(&listing::VERSIONS, fields.0.as_deref())?;
        let params = params(limit.0, [cursor.0, filter.0, sort.0]);
        let (_, page) = self.0.list_document_versions(&auth.0, id.0, &params).await?;
        Ok(Listed(page, mask))
    }

    /// Upload a document
    ///
    /// The body is the document, or a form with one file. Its name is the parameter's, else the one in
    /// `Content-Disposition`, else the form's. It takes as long as bytes keep coming.
    #[oai(path = "/documents", method = "post", operation_id = "upload_document")]
    async fn upload(
        &self,
        auth: Auth,
        /// The collection (required).
        collection: Query<Option<CollectionId>>,
        /// The document's name.
        name: Query<Option<String>>,
        /// SHA-256 of the body (RFC 9530), to be compared: `sha-256=:…:`.
        #[oai(name = "Content-Digest")]
        _content_digest: Header<Option<String>>,
        /// Names the file (RFC 6266): `attachment; filename="a.pdf"`.
        #[oai(name = "Content-Disposition")]
        _content_disposition: Header<Option<String>>,
        body: Uploaded,
    ) -> Result<Created<Document>, Problem> {
        let incoming = Incoming { name: name.0, ..body.0 };
        Ok(Created(self.0.upload_document(&auth.0, collection.0, incoming).await?))
    }

    /// Upload a new version of a document
    ///
    /// Its name stays. With `If-Match`, only if nobody changed the document meanwhile.
    #[oai(path = "/documents/:id/versions", method = "post", operation_id = "upload_document_version")]
    async fn upload_version(
        &self,
        auth: Auth,
        id: Path<DocumentId>,
        /// The document's version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        /// SHA-256 of the body (RFC 9530), to be compared: `sha-256=:…:`.
        #[oai(name = "Content-Digest")]
        _content_digest: Header<Option<String>>,
        body: Uploaded,
    ) -> Result<Created<DocumentVersion>, Problem> {
        let expected = expected(&if_match);
        Ok(Created(self.0.upload_document_version(&auth.0, id.0, expected, body.0).await?))
    }
}
