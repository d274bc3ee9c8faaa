//! Settings of this module.

use std::path::PathBuf;

use serde::Deserialize;

use crate::embed::RemoteModelConfig;
use crate::extract::Limits;

/// `[knowledge]` in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnowledgeConfig {
    /// Where `make models` put the embedding models; empty for `<data>/models`, or else `./models`.
    pub models: String,
    /// The embedding model of collections that name none.
    pub default_model: String,
    /// Embedding models at OpenAI-compatible services.
    pub remote_models: Vec<RemoteModelConfig>,
    /// Threads that embed passages; 0 = as many as there are cores, at most 4.
    pub embed_threads: usize,
    /// How many documents are taken apart at once; 0 = as many as there are cores.
    pub readers: usize,
    /// How many tenants' indexes are kept open.
    pub open_indexes: usize,
    /// What one document may be and cost.
    pub limits: Limits,
    /// The program that takes documents apart and its arguments; this one when left out. For tests.
    #[serde(skip)]
    pub reader: Option<(PathBuf, Vec<String>)>,
}

impl Default for KnowledgeConfig {
    fn default() -> Self {
        Self {
            models: String::new(),
            default_model: crate::embed::WORDLLAMA.to_owned(),
            remote_models: Vec::new(),
            embed_threads: 0,
            readers: 0,
            open_indexes: 64,
            limits: Limits::default(),
            reader: None,
        }
    }
}
