//! Documents and their versions.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Id, IdKind, Patch};
use serde::{Deserialize, Serialize};

use super::collection::CollectionId;

/// Names a document: `doc_…`.
pub enum DocumentKind {}
impl IdKind for DocumentKind {
    const PREFIX: &'static str = "doc";
}
/// Names a document.
pub type DocumentId = Id<DocumentKind>;

/// Names a version of a document: `ver_…`.
pub enum VersionKind {}
impl IdKind for VersionKind {
    const PREFIX: &'static str = "ver";
}
/// Names a version of a document.
pub type VersionId = Id<VersionKind>;

/// A document, with its newest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Document {
    /// Names the document.
    pub id: DocumentId,
    /// Where it belongs.
    pub collection_id: CollectionId,
    /// Its file's name.
    pub name: String,
    /// What its bytes are, such as `application/pdf`.
    pub media_type: String,
    /// Bytes of the newest version.
    pub size: i64,
    /// SHA-256 of the newest version, in hexadecimal; also the entity tag of its content.
    pub sha256: String,
    /// The newest version.
    pub version_id: VersionId,
    /// The newest version's number, from 1.
    pub version_number: i64,
    /// Whether it can be searched.
    pub searchable: bool,
    /// Whose it is; none if the process made it.
    pub owner_id: Option<AccountId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted, if it was.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it goes for good, if it was deleted; until then it can be restored.
    pub purge_at: Option<DateTime<Utc>>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// One version of a document's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct DocumentVersion {
    /// Names the version.
    pub id: VersionId,
    /// Whose version it is.
    pub document_id: DocumentId,
    /// From 1, in the order in which they were made.
    pub number: i64,
    /// What its bytes are.
    pub media_type: String,
    /// How many bytes.
    pub size: i64,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
    /// Who made it; none if the process did.
    pub created_by: Option<AccountId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What can be changed of a document.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateDocument {
    /// Its file's name, 1 to 255 characters without / and \.
    #[graphql(default)]
    pub name: Patch<String>,
}
