//! The neural tier: all-MiniLM-L6-v2 with 8-bit weights on ONNX Runtime.
//!
//! Each text runs alone. This model quantizes activations over the whole batch, so that a text's vector would depend
//! on its neighbours; and padding costs more than a batch saves on a processor. Cores are used by several sessions.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use tokenizers::Tokenizer;

use super::sessions::{Purpose, Sessions};
use super::{EmbedError, Embedder, ModelId, beginning, normalize, runtime};

/// all-MiniLM-L6-v2, 8-bit.
pub const MINILM: &str = "all-minilm-l6-v2-int8";
pub(super) const DIMENSIONS: usize = 384;
/// Tokens that the model was made for, `[CLS]` and `[SEP]` among them.
const MOST_TOKENS: usize = 256;
const LAST_TOKEN: i64 = 102;
/// More text than so many tokens can come from, mostly.
const LONGEST_TEXT: usize = 16 * 1024;

pub(super) struct MiniLm {
    model: ModelId,
    tokenizer: Tokenizer,
    network: PathBuf,
    library: PathBuf,
    bulk: usize,
    sessions: Sessions,
}

impl MiniLm {
    /// Opens one session at once, so that unusable files show here.
    pub(super) fn load(network: &Path, tokenizer: &Path, library: &Path, bulk: usize) -> Result<Self, EmbedError> {
        let model = ModelId::new(MINILM);
        let unusable =
            |e: tokenizers::Error| EmbedError::Unusable { model: ModelId::new(MINILM), reason: e.to_string() };
        let mut tokenizer = Tokenizer::from_file(tokenizer).map_err(unusable)?;
        // Its file cuts at 128 tokens and fills up to them.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(unusable)?;
        let (network, library) = (network.to_owned(), library.to_owned());
        let loaded = Self { model, tokenizer, network, library, bulk, sessions: Sessions::new(bulk) };
        loaded.sessions.with(Purpose::Question, || loaded.session(), |_| Ok(()))?;
        Ok(loaded)
    }

    fn session(&self) -> Result<Session, EmbedError> {
        let unusable = |reason: String| EmbedError::Unusable { model: self.model.clone(), reason };
        let environment = runtime::environment(&self.library).map_err(unusable)?;
        open(environment, &self.network).map_err(|e| unusable(e.to_string()))
    }

    fn tokens(&self, text: &str) -> Result<Vec<i64>, EmbedError> {
        let encoding = self
            .tokenizer
            .encode_fast(beginning(text, LONGEST_TEXT), true)
            .map_err(|e| EmbedError::Failed { model: self.model.clone(), reason: e.to_string() })?;
        let mut ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        if ids.len() > MOST_TOKENS {
            ids.truncate(MOST_TOKENS - 1);
            ids.push(LAST_TOKEN);
        }
        Ok(ids)
    }

    fn one(&self, purpose: Purpose, text: &str) -> Result<Vec<f32>, EmbedError> {
        if text.trim().is_empty() {
            return Ok(vec![0.0; DIMENSIONS]);
        }
        let ids = self.tokens(text)?;
        self.sessions.with(
            purpose,
            || self.session(),
            |session| {
                run(session, ids).map_err(|e| EmbedError::Failed { model: self.model.clone(), reason: e.to_string() })
            },
        )
    }
}

fn open(environment: &ort::environment::Environment, network: &Path) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        // Texts have many lengths: plans for each would only grow.
        .with_memory_pattern(false)?
        .commit_from_file(network)
}

/// Mean of the last layer over the tokens. There is no padding, so that the mask is all ones.
fn run(session: &mut Session, ids: Vec<i64>) -> ort::Result<Vec<f32>> {
    let count = ids.len();
    let mask = Tensor::from_array(([1, count], vec![1i64; count]))?;
    let kinds = Tensor::from_array(([1, count], vec![0i64; count]))?;
    let ids = Tensor::from_array(([1, count], ids))?;
    let inputs = ort::inputs!["input_ids" => ids, "attention_mask" => mask, "token_type_ids" => kinds];
    let outputs = session.run(inputs)?;
    let (shape, states) = outputs[0].try_extract_tensor::<f32>()?;
    if shape.len() != 3 || states.len() != count * DIMENSIONS {
        return Err(ort::Error::new(format!("the model answered with the shape {shape:?}")));
    }
    let mut sum = vec![0f32; DIMENSIONS];
    for state in states.chunks_exact(DIMENSIONS) {
        sum.iter_mut().zip(state).for_each(|(sum, x)| *sum += x);
    }
    normalize(&mut sum);
    Ok(sum)
}

impl Embedder for MiniLm {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(text) = texts.get(index) else { return Ok(done) };
                done.push((index, self.one(Purpose::Bulk, text)?));
            }
        };
        let mut vectors = in_parallel(self.bulk.min(texts.len()), work)?;
        vectors.sort_unstable_by_key(|(index, _)| *index);
        Ok(vectors.into_iter().map(|(_, vector)| vector).collect())
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.one(Purpose::Question, text)
    }
}

/// What `work` gives on so many threads, all together; the first error if there is one.
fn in_parallel<T: Send>(
    threads: usize,
    work: impl Fn() -> Result<Vec<T>, EmbedError> + Sync,
) -> Result<Vec<T>, EmbedError> {
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let mut all = Vec::new();
        for worker in running {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}
