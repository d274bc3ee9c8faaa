//! From a document in the vault to passages that are found.
//!
//! The vault's events say what there is ([`hear`]); a job for each version does the work ([`job`]): text out of the
//! bytes, passages out of the text, vectors, and last one transaction that puts the new version in the place of the
//! old one. Every step can be repeated: a crash costs the step that was under way. A model that fails keeps nothing back:
//! the version is found by its words, and another job ([`later`]) brings the vectors.

pub(crate) mod hear;
pub(crate) mod job;
pub(crate) mod later;
mod pieces;
pub(crate) mod stages;

use vault::{CollectionId, DocumentId, VersionId};

/// Rung after a commit that changed how far a document is.
pub(crate) const PROGRESS_BELL: &str = "knowledge.progress";
/// Rung after a commit that changed what is found.
pub(crate) const CHANGE_BELL: &str = "knowledge.change";

/// A version that the vault tells of.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Heard {
    #[serde(alias = "id")]
    pub(crate) document: DocumentId,
    pub(crate) collection: CollectionId,
    pub(crate) version: VersionId,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) media_type: String,
    #[serde(default)]
    pub(crate) size: i64,
    /// The collection's embedding model.
    #[serde(default)]
    pub(crate) model: Option<String>,
}
