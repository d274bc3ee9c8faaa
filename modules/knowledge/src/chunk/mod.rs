//! Cuts a document's text into passages: what is embedded, found and cited.
//!
//! A passage is a byte range of the text. Structure comes first: a passage begins at a heading where it can, and holds
//! whole paragraphs; a long paragraph is cut between sentences, code and tables between lines. Neighbours in one section
//! share a sentence or two, so that a thought on the border is found.

mod pack;
mod pieces;
mod sections;
mod sentences;
#[cfg(test)]
mod tests;

use crate::extract::Extracted;

/// Which cutting made a passage. Changes whenever the same text would be cut otherwise.
pub const CHUNKER_VERSION: u32 = 1;

/// How long passages are, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkConfig {
    /// A passage ends where the next part would make it longer than this. About 200 words.
    pub target_chars: usize,
    /// No passage is longer.
    pub max_chars: usize,
    /// A section shorter than this shares a passage with the next one.
    pub min_chars: usize,
    /// The most that a passage repeats of the one before.
    pub overlap_chars: usize,
}

impl Default for ChunkConfig {
    fn default() -> Self {
        Self { target_chars: 1200, max_chars: 1600, min_chars: 200, overlap_chars: 240 }
    }
}

impl ChunkConfig {
    /// The same with lengths that fit each other.
    fn sound(&self) -> Self {
        let max_chars = self.max_chars.max(16);
        let target_chars = self.target_chars.clamp(8, max_chars);
        Self {
            target_chars,
            max_chars,
            min_chars: self.min_chars.min(target_chars / 2),
            overlap_chars: self.overlap_chars.min(target_chars / 3),
        }
    }
}

/// A part of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Where it begins: a byte of the text.
    pub start: usize,
    /// Where it ends: the byte after its last one.
    pub end: usize,
    /// The headings that it stands under, from the outermost: `A › B`. The document's title is the outermost when it
    /// says more than they do.
    pub heading: Option<String>,
    /// The page that it begins on, from 1.
    pub page: Option<u32>,
}

/// The passages of a document, in order. Deterministic; every character that is not white space is in one of them, and
/// none begins or ends with white space.
pub fn chunk(extracted: &Extracted, config: &ChunkConfig) -> Vec<Passage> {
    let config = config.sound();
    let (pieces, sections) = pieces::pieces(extracted, &config);
    let mut passages = pack::pack(&extracted.text, &pieces, &sections, &config);
    if let Some(title) = &extracted.title {
        sections::put_under(title, &mut passages);
    }
    passages
}
