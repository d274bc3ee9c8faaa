//! The settings of this module.

use serde::Deserialize;

/// How much the vault takes, and how long it keeps what was deleted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The largest document, in bytes.
    pub max_document_bytes: u64,
    /// Uploads under way at once; one more is told to come back.
    pub max_uploads: usize,
    /// Days from a document's deletion until it goes for good; until then it can be restored.
    pub deletion_grace_days: u32,
}
