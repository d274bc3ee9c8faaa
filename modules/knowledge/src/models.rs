//! The embedding models at hand, for async callers: those of this machine bounded and off the async threads, those of
//! services by their calls.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::embed::{EmbedError, ModelId, ModelState, ModelStatus, Models, RemoteModel, Threads};
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
        EmbedError::Unreachable { model, reason } => {
            format!("the service of the model {model} gave no vectors: {reason}")
        }
        EmbedError::Declined { model, reason } => format!("the service of the model {model} can't be used: {reason}"),
    }
}

/// The models, and how many callers may use them at once.
pub(crate) struct ModelRoom {
    models: Arc<Models>,
    remote: Vec<RemoteModel>,
    /// Passages wait here, so that they never take all of the blocking threads.
    places: Semaphore,
    default_model: String,
}

impl ModelRoom {
    pub(crate) fn new(folder: PathBuf, threads: usize, default_model: String, remote: Vec<RemoteModel>) -> Self {
        let threads = if threads == 0 { Threads::default() } else { Threads(threads) };
        let places = Semaphore::new(threads.0.max(1));
        Self { models: Arc::new(Models::open(folder, threads)), remote, places, default_model }
    }

    fn remote(&self, model: &str) -> Option<&RemoteModel> {
        self.remote.iter().find(|remote| remote.id().as_str() == model)
    }

    /// One vector for each text.
    pub(crate) async fn embed(&self, model: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        if let Some(remote) = self.remote(model) {
            return remote.embed(&texts).await;
        }
        let id = ModelId::new(model);
        let failed = |reason: String| EmbedError::Failed { model: ModelId::new(model), reason };
        let _place = self.places.acquire().await.map_err(|error| failed(error.to_string()))?;
        let models = Arc::clone(&self.models);
        let work = move || {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            models.embedder(&id)?.embed(&texts)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))?
    }

    /// The vector of a question, which does not wait behind passages.
    pub(crate) async fn embed_query(&self, model: &str, text: String) -> Result<Vec<f32>, EmbedError> {
        if let Some(remote) = self.remote(model) {
            return remote.embed_query(&text).await;
        }
        let id = ModelId::new(model);
        let models = Arc::clone(&self.models);
        let work = move || models.embedder(&id)?.embed_query(&text);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| EmbedError::Failed { model: ModelId::new(model), reason: error.to_string() })?
    }

    /// Numbers in each vector of a model; `None` for one that this installation does not know.
    pub(crate) fn dimensions(&self, model: &str) -> Option<usize> {
        self.status().find(|status| status.model.as_str() == model).map(|status| status.dimensions)
    }

    /// All models that this installation knows.
    pub(crate) fn views(&self) -> Vec<ModelView> {
        let view = |status: ModelStatus| ModelView {
            default: status.model.as_str() == self.default_model,
            name: status.model.to_string(),
            dimensions: whole(status.dimensions),
            usable: !matches!(status.state, ModelState::Unavailable(_)),
            reason: match status.state {
                ModelState::Unavailable(error) => Some(excuse(&error)),
                ModelState::Loaded | ModelState::Present => None,
            },
        };
        self.status().map(view).collect()
    }

    fn status(&self) -> impl Iterator<Item = ModelStatus> {
        let remote = self.remote.iter().map(|remote| ModelStatus {
            model: remote.id().clone(),
            dimensions: remote.dimensions(),
            state: remote.check().map_or_else(ModelState::Unavailable, |()| ModelState::Present),
        });
        self.models.status().into_iter().chain(remote)
    }
}
