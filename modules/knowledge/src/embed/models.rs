//! Which models this machine has.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::minilm::{self, MINILM, MiniLm};
use super::wordllama::{self, WORDLLAMA, WordLlama};
use super::{EmbedError, Embedder, ModelId};

/// How many threads texts in bulk may keep busy. A question has a session of its own on top.
#[derive(Clone, Copy, Debug)]
pub struct Threads(pub usize);

impl Default for Threads {
    /// As many as there are cores, at most 4: each takes some 60 MB.
    fn default() -> Self {
        Self(std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4))
    }
}

/// A model that this program knows, and whether it can be used.
#[derive(Clone, Debug)]
pub struct ModelStatus {
    /// The model.
    pub model: ModelId,
    /// Numbers in each vector.
    pub dimensions: usize,
    /// Whether it can be used.
    pub state: ModelState,
}

/// Whether a model can be used.
#[derive(Clone, Debug)]
pub enum ModelState {
    /// Loaded and used before.
    Loaded,
    /// Its files are there; loaded when first asked for.
    Present,
    /// It can't be used, and why.
    Unavailable(EmbedError),
}

/// The models in a folder, as `make models` lays it out. Each is loaded when first asked for; one that failed to load
/// is tried again when asked for again.
pub struct Models {
    folder: PathBuf,
    threads: Threads,
    wordllama: Slot,
    minilm: Slot,
}

/// Where the models are: the folder that the setting names; else `models` in the data folder, if it is there; else
/// `./models`.
pub fn models_folder(setting: &str, data: &Path) -> PathBuf {
    let beside_data = data.join("models");
    match setting {
        "" if beside_data.is_dir() => beside_data,
        "" => PathBuf::from("models"),
        named => PathBuf::from(named),
    }
}

type Slot = Mutex<Option<Arc<dyn Embedder>>>;

impl Models {
    /// Remembers the folder. It need not exist, and may be filled later. Files are trusted: their hashes are checked
    /// when they are fetched.
    pub fn open(folder: impl Into<PathBuf>, threads: Threads) -> Self {
        Self { folder: folder.into(), threads, wordllama: Slot::default(), minilm: Slot::default() }
    }

    /// All models that this program knows, best first.
    pub fn status(&self) -> Vec<ModelStatus> {
        [(MINILM, minilm::DIMENSIONS), (WORDLLAMA, wordllama::DIMENSIONS)]
            .map(|(name, dimensions)| {
                let model = ModelId::new(name);
                ModelStatus { state: self.state(&model), model, dimensions }
            })
            .into()
    }

    /// The best model whose files are there.
    pub fn best(&self) -> Option<ModelId> {
        let usable = |status: &ModelStatus| !matches!(status.state, ModelState::Unavailable(_));
        self.status().into_iter().find(usable).map(|status| status.model)
    }

    /// The model of this name, loaded. The first call takes up to a second.
    ///
    /// # Errors
    /// [`EmbedError::Unknown`], [`EmbedError::Missing`], [`EmbedError::Unusable`].
    pub fn embedder(&self, model: &ModelId) -> Result<Arc<dyn Embedder>, EmbedError> {
        let slot = self.slot(model)?;
        // Held while it loads, so that it is loaded once.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = slot.as_ref() {
            return Ok(loaded.clone());
        }
        self.lacks(model)?;
        let loaded = self.load(model)?;
        Ok(slot.insert(loaded).clone())
    }

    fn load(&self, model: &ModelId) -> Result<Arc<dyn Embedder>, EmbedError> {
        let files = self.files(model);
        match (model.as_str(), &files[..]) {
            (WORDLLAMA, [weights, tokenizer]) => Ok(Arc::new(WordLlama::load(weights, tokenizer)?)),
            (MINILM, [network, tokenizer, library]) => {
                Ok(Arc::new(MiniLm::load(network, tokenizer, library, self.threads.0)?))
            }
            _ => Err(EmbedError::Unknown(model.clone())),
        }
    }

    fn state(&self, model: &ModelId) -> ModelState {
        // One that is being loaded is not waited for.
        let loaded = self.slot(model).is_ok_and(|slot| slot.try_lock().is_ok_and(|slot| slot.is_some()));
        match self.lacks(model) {
            _ if loaded => ModelState::Loaded,
            Ok(()) => ModelState::Present,
            Err(error) => ModelState::Unavailable(error),
        }
    }

    fn slot(&self, model: &ModelId) -> Result<&Slot, EmbedError> {
        match model.as_str() {
            WORDLLAMA => Ok(&self.wordllama),
            MINILM => Ok(&self.minilm),
            _ => Err(EmbedError::Unknown(model.clone())),
        }
    }

    fn lacks(&self, model: &ModelId) -> Result<(), EmbedError> {
        match self.files(model).into_iter().find(|file| !file.is_file()) {
            Some(missing) => Err(EmbedError::Missing { model: model.clone(), missing }),
            None => Ok(()),
        }
    }

    fn files(&self, model: &ModelId) -> Vec<PathBuf> {
        let names: &[&str] = match model.as_str() {
            WORDLLAMA => &["wordllama/model.safetensors", "wordllama/tokenizer.json"],
            MINILM => &["minilm/model.onnx", "minilm/tokenizer.json", "onnxruntime/libonnxruntime.so"],
            _ => &[],
        };
        names.iter().map(|name| Path::new(&self.folder).join(name)).collect()
    }
}
