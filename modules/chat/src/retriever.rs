//! What chat asks of the floors below: passages for a question, whether they may still be read, and vectors. The
//! composition root connects both; this module knows neither the vault nor knowledge.

use async_trait::async_trait;
use kernel::{Caller, Problem};

use crate::model::{CollectionId, DocumentId, Retrieved};

/// Finds passages, always with the caller's own reach.
#[async_trait]
pub trait Retriever: Send + Sync + 'static {
    /// The best `limit` passages for `query` out of what `caller` may read; out of these collections only, when some
    /// are named. The access is on record when this returns.
    ///
    /// # Errors
    /// Why nothing can be searched.
    async fn retrieve(
        &self,
        caller: &Caller,
        query: &str,
        collections: Option<&[CollectionId]>,
        limit: u32,
    ) -> Result<Retrieved, Problem>;

    /// Whether `caller` may read every one of these documents now.
    async fn still_permitted(&self, caller: &Caller, documents: &[DocumentId]) -> bool;
}

/// Turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// One vector a text, in order, by the model of this name.
    ///
    /// # Errors
    /// The model is not known, or not to be had.
    async fn embed(&self, caller: &Caller, model: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Problem>;

    /// The names of the models there are.
    fn models(&self) -> Vec<String>;
}
