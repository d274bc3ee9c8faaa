//! The embedding models at hand, for async callers: bounded, off the async threads.

use std::path::PathBuf;

use tokio::sync::Semaphore;

use crate::embed::{EmbedError, ModelId, ModelState, Models, Threads};
use crate::model::{ModelView, whole};

/// Why there are no vectors, for people who need not know this machine's folders.
pub(crate) fn excuse(error: &EmbedError) -> String {
    match error {
        EmbedError::Missing { model, .. } => {
            format!("the model {model} is not installed here; `make models` fetches it")
        }
        EmbedError::Unknown(model) => format!("there is no model {model} here"),
        EmbedError::Unusable { model, .. } => format!("the model {model} can't be loaded; the log says why"),
        EmbedError::Failed { model, .. } => format!("the model {model} failed; the log says why"),
    }
}

/// The models, and how many callers may use them at once.
pub(crate) struct ModelRoom {
    models: std::sync::Arc<Models>,
    /// Passages wait here, so that they never take all of the blocking threads.
    places: Semaphore,
    default_model: String,
}

impl ModelRoom {
    pub(crate) fn new(folder: PathBuf, threads: usize, default_model: String) -> Self {
        let threads = if threads == 0 { Threads::default() } else { Threads(threads) };
        let places = Semaphore::new(threads.0.max(1));
        Self { models: std::sync::Arc::new(Models::open(folder, threads)), places, default_model }
    }

    /// One vector for each text.
    pub(crate) async fn embed(&self, model: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let id = ModelId::new(model);
        let failed = |reason: String| EmbedError::Failed { model: ModelId::new(model), reason };
        let _place = self.places.acquire().await.map_err(|error| failed(error.to_string()))?;
        let models = std::sync::Arc::clone(&self.models);
        let work = move || {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            models.embedder(&id)?.embed(&texts)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))?
    }

    /// The vector of a question, which does not wait behind passages.
    pub(crate) async fn embed_query(&self, model: &str, text: String) -> Result<Vec<f32>, EmbedError> {
        let id = ModelId::new(model);
        let models = std::sync::Arc::clone(&self.models);
        let work = move || models.embedder(&id)?.embed_query(&text);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| EmbedError::Failed { model: ModelId::new(model), reason: error.to_string() })?
    }

    /// Numbers in each vector of a model; `None` for one that this program does not know.
    pub(crate) fn dimensions(&self, model: &str) -> Option<usize> {
        self.models.status().into_iter().find(|status| status.model.as_str() == model).map(|status| status.dimensions)
    }

    /// All models that this program knows.
    pub(crate) fn views(&self) -> Vec<ModelView> {
        let view = |status: crate::embed::ModelStatus| ModelView {
            default: status.model.as_str() == self.default_model,
            name: status.model.to_string(),
            dimensions: whole(status.dimensions),
            usable: !matches!(status.state, ModelState::Unavailable(_)),
            reason: match status.state {
                ModelState::Unavailable(error) => Some(excuse(&error)),
                ModelState::Loaded | ModelState::Present => None,
            },
        };
        self.models.status().into_iter().map(view).collect()
    }
}
