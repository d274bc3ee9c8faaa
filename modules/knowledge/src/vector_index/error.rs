//! What can go wrong with a vector index.

/// All that can go wrong with a vector index.
#[derive(Debug, thiserror::Error)]
pub enum VectorIndexError {
    /// What is on disk can't be used: make it anew from the rows.
    #[error("The vector index has to be rebuilt: {0}")]
    NeedsRebuild(String),
    /// A vector of another length, so of another model.
    #[error("This index holds vectors of {expected} numbers, not of {got}.")]
    Dimensions {
        /// What the index holds.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// The disk failed.
    #[error("The vector index failed: {0}")]
    Failed(#[from] std::io::Error),
}
