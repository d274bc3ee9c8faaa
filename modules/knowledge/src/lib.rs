//! Knowledge: the searchable documents of the vault, read, cut, embedded and found.
//!
//! Start at [`Knowledge`]. Owns the tables `knowledge_*` and the folder `knowledge/` of the data folder; stands on
//! `kernel`, `audit`, `events`, `jobs` and `vault`.
//!
//! The rows are the truth: documents, passages, terms and vectors. The text index (Tantivy) and the vector indexes in the
//! folder are derived, each replica's own, tied to the rows by a sequence number; they are made anew when they are
//! missing, behind or damaged, and lower rungs of the search answer meanwhile.
//!
//! Publishes nothing. The audit trail has `knowledge.searched`, `knowledge.text_read` and `knowledge.document_reread`.
//! Deliberately absent: who may read what, which is the vault's to say, and the documents' bytes.

mod analysis;
mod blocking;
mod chunk;
mod config;
mod derived;
mod documents;
mod embed;
mod error;
mod extract;
mod fusion;
pub mod graphql; // faces, for the composition root only
mod ingest;
mod knowledge;
mod listing;
mod model;
mod models;
mod permissions;
mod permitted;
mod progress;
mod quality;
pub mod rest;
mod search;
mod store;
#[cfg(test)]
mod tests;
mod text_index;
mod tidy;
mod vector_index;

pub use config::KnowledgeConfig;
pub use error::Error;
pub use knowledge::Knowledge;
pub use model::{
    DocumentText, Found, Highlight, Hit, Ingest, IngestState, Mode, ModelView, ModelsView, PassageId, PassageKind,
    RankerPart, Rung, RungName, Search, Status,
};
pub use permissions::{PERMISSIONS, READ, WRITE};

// The parts of the search by themselves, for measuring them.
pub use analysis::{ANALYSIS_VERSION, Term, highlights, joined, query_terms, terms};
pub use chunk::{CHUNKER_VERSION, ChunkConfig, Passage, chunk};
pub use embed::{
    EmbedError, Embedder, MINILM, ModelId, ModelState, ModelStatus, Models, RemoteModelConfig, Threads, WORDLLAMA,
    models_folder,
};
pub use extract::{
    Block, BlockKind, EXTRACTOR_VERSION, ExtractError, Extracted, Extractor, ExtractorConfig, Limits, READER_COMMAND,
    Unreadable, read_document, reader_process,
};
pub use fusion::{Fused, Fusion, Part, fuse};
pub use permitted::{Permitted, Places};
pub use quality::{
    BeirError, Interval, Judgements, Measures, Quality, Query, Source, Sources, bootstrap, measure, summarize,
};
pub use text_index::{TextChange, TextIndex, TextIndexError, TextPassage};
pub use vector_index::{VectorChange, VectorIndex, VectorIndexError, VectorPassage};
