//! What can go wrong with the text index.

use tantivy::TantivyError;

/// All that can go wrong with the text index.
#[derive(Debug, thiserror::Error)]
pub enum TextIndexError {
    /// What is on disk can't be used: make it anew from the rows.
    #[error("The text index has to be rebuilt: {0}")]
    NeedsRebuild(String),
    /// The disk, or the index, failed.
    #[error("The text index failed: {0}")]
    Failed(String),
}

impl From<TantivyError> for TextIndexError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::DataCorruption(_) | TantivyError::IncompatibleIndex(_) | TantivyError::SchemaError(_) => {
                Self::NeedsRebuild(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for TextIndexError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
