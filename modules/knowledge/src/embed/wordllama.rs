//! The static tier: a vector is the mean of its tokens' rows in one table. No runtime, microseconds a text.

use std::path::Path;
use std::sync::Arc;

use half::f16;
use half::slice::HalfFloatSliceExt;
use quick_cache::sync::Cache;
use safetensors::{Dtype, SafeTensors};
use tokenizers::Tokenizer;

use super::{EmbedError, Embedder, ModelId, beginning, normalize};

/// `WordLlama` "`l2_supercat`" with 256 dimensions.
pub const WORDLLAMA: &str = "wordllama-l2-supercat-256";
pub(super) const DIMENSIONS: usize = 256;
/// What stands beyond hardly moves a mean of so many words.
const LONGEST_TEXT: usize = 32 * 1024;
/// Words whose tokens are remembered, and the longest of them in bytes: some 8 MB.
const WORDS: usize = 50_000;
const LONGEST_WORD: usize = 64;
const TENSOR: &str = "embedding.weight";

pub(super) struct WordLlama {
    model: ModelId,
    tokenizer: Tokenizer,
    /// The tokens of words that were met.
    tokens: Cache<String, Arc<[u32]>>,
    /// Row after row, half precision: 16 MB.
    table: Vec<f16>,
}

impl WordLlama {
    pub(super) fn load(weights: &Path, tokenizer: &Path) -> Result<Self, EmbedError> {
        let model = ModelId::new(WORDLLAMA);
        let unusable = |reason: String| EmbedError::Unusable { model: model.clone(), reason };
        let bytes = std::fs::read(weights).map_err(|e| unusable(e.to_string()))?;
        let table = table(&bytes).map_err(unusable)?;
        let tokenizer = self::tokenizer(tokenizer).map_err(|e| unusable(e.to_string()))?;
        Ok(Self { model, tokenizer, tokens: Cache::new(WORDS), table })
    }
}

fn tokenizer(file: &Path) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_file(file)?;
    tokenizer.with_padding(None).with_truncation(None)?;
    Ok(tokenizer)
}

fn table(bytes: &[u8]) -> Result<Vec<f16>, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let tensor = tensors.tensor(TENSOR).map_err(|e| e.to_string())?;
    if tensor.dtype() != Dtype::F16 || tensor.shape().len() != 2 || tensor.shape()[1] != DIMENSIONS {
        return Err(format!("{TENSOR} is {:?} {:?}, not F16 [_, {DIMENSIONS}]", tensor.dtype(), tensor.shape()));
    }
    if tensor.shape()[0] == 0 {
        return Err(format!("{TENSOR} is empty"));
    }
    Ok(tensor.data().chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]])).collect())
}

impl WordLlama {
    /// The tokens of one word. No token spans a space, so that word by word gives what the whole text would.
    fn tokens(&self, word: &str) -> Result<Arc<[u32]>, EmbedError> {
        if let Some(tokens) = self.tokens.get(word) {
            return Ok(tokens);
        }
        let failed = |e: tokenizers::Error| EmbedError::Failed { model: self.model.clone(), reason: e.to_string() };
        let encoding = self.tokenizer.encode_fast(word, false).map_err(failed)?;
        let tokens: Arc<[u32]> = encoding.get_ids().into();
        if word.len() <= LONGEST_WORD {
            self.tokens.insert(word.to_owned(), tokens.clone());
        }
        Ok(tokens)
    }
}

impl Embedder for WordLlama {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts.iter().map(|text| self.embed_query(text)).collect()
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let mut sum = vec![0f32; DIMENSIONS];
        let mut row = [0f32; DIMENSIONS];
        let last = self.table.len() / DIMENSIONS - 1;
        for word in beginning(text, LONGEST_TEXT).split_whitespace() {
            for id in self.tokens(word)?.iter() {
                let start = usize::try_from(*id).unwrap_or(last).min(last) * DIMENSIONS;
                self.table[start..start + DIMENSIONS].convert_to_f32_slice(&mut row);
                sum.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x);
            }
        }
        // The mean differs from the sum only in length.
        normalize(&mut sum);
        Ok(sum)
    }
}
