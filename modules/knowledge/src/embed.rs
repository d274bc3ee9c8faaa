//! Texts made vectors, by models on this machine or at a service.
//!
//! Vectors have length 1, so that a dot product is the cosine. Vectors of two models say nothing about each other:
//! each carries its [`ModelId`] wherever it is kept. Calls of an [`Embedder`] compute and block: keep them off async
//! threads. A [`RemoteModel`] waits instead.

mod minilm;
mod models;
mod remote;
mod runtime;
mod sessions;
mod wordllama;

use std::fmt;
use std::path::PathBuf;

pub use minilm::MINILM;
pub use models::{ModelState, ModelStatus, Models, Threads, models_folder};
pub(crate) use remote::RemoteModel;
pub use remote::RemoteModelConfig;
pub use wordllama::WORDLLAMA;

/// The name of a model with everything that changes its vectors, such as `wordllama-l2-supercat-256`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ModelId(String);

impl ModelId {
    /// Wraps a name; whether such a model exists is for the registry to say.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A model at work. The same text gives the same vector, alone or among others.
pub trait Embedder: Send + Sync {
    /// Which model this is.
    fn model(&self) -> &ModelId;

    /// Numbers in each vector.
    fn dimensions(&self) -> usize;

    /// One vector for each text, in order: for passages, many at once. A text without a word gives zeros; what is
    /// longer than the model reads is cut.
    ///
    /// # Errors
    /// [`EmbedError`], for all texts together.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// The vector of a question. It does not wait behind texts that are being embedded.
    ///
    /// # Errors
    /// [`EmbedError`]
    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbedError>;
}

/// Why there is no vector.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EmbedError {
    /// No model of this name exists.
    #[error("There is no model {0}.")]
    Unknown(ModelId),
    /// Files that it needs are not there.
    #[error("The model {model} lacks {}; `make models` fetches it.", missing.display())]
    Missing {
        /// The model.
        model: ModelId,
        /// The first file that is not there.
        missing: PathBuf,
    },
    /// Its files are there and can't be used.
    #[error("The model {model} can't be loaded: {reason}")]
    Unusable {
        /// The model.
        model: ModelId,
        /// What the loader says.
        reason: String,
    },
    /// It is loaded, and failed on a text.
    #[error("The model {model} failed: {reason}")]
    Failed {
        /// The model.
        model: ModelId,
        /// What the runtime says.
        reason: String,
    },
    /// Its service gave no answer that can be used; it may later.
    #[error("The service of the model {model} gave no vectors: {reason}.")]
    Unreachable {
        /// The model.
        model: ModelId,
        /// What happened, for people.
        reason: String,
    },
    /// Its service does not want what the settings say.
    #[error("The service of the model {model} can't be used: {reason}.")]
    Declined {
        /// The model.
        model: ModelId,
        /// What an operator can mend, for people.
        reason: String,
    },
}

impl EmbedError {
    /// Whether the same call may work later without anybody doing something.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Unreachable { .. } => true,
            Self::Unknown(_) | Self::Missing { .. } | Self::Unusable { .. } | Self::Declined { .. } => false,
        }
    }
}

/// Scales a vector to length 1; zeros stay zeros.
fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// The longest beginning of at most `bytes` bytes that ends between two characters.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
