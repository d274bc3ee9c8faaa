//! The words of this domain.

use chrono::{DateTime, Utc};
use kernel::{Id, IdKind};
use serde::{Deserialize, Serialize};
use vault::{CollectionId, DocumentId, VersionId};

/// Names a passage: `pas_…`.
pub enum PassageKind {}
impl IdKind for PassageKind {
    const PREFIX: &'static str = "pas";
}
/// Names a passage: a piece of one version of a document.
pub type PassageId = Id<PassageKind>;

/// How far a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum IngestState {
    /// Waits to be read.
    Queued,
    /// Its text is being taken out.
    Extracting,
    /// Its passages are being embedded.
    Embedding,
    /// It is found.
    Ready,
    /// It can't be read; the reason says why.
    Failed,
}

impl IngestState {
    pub(crate) const WORDS: &'static [&'static str] = &["queued", "extracting", "embedding", "ready", "failed"];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Extracting => "extracting",
            Self::Embedding => "embedding",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Queued, Self::Extracting, Self::Embedding, Self::Ready, Self::Failed]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A searchable document on its way into the search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "KnowledgeDocument")]
#[oai(rename = "KnowledgeDocument")]
pub struct Ingest {
    /// The document in the vault.
    pub document: DocumentId,
    pub collection: CollectionId,
    /// The newest version, which is being read or has been.
    #[oai(rename = "document_version")]
    #[graphql(name = "documentVersion")]
    #[serde(rename = "document_version")]
    pub newest: VersionId,
    /// The version whose passages are found now: an older one while the newest is being read.
    pub live_version: Option<VersionId>,
    pub name: String,
    /// The title that stands in the document itself.
    pub title: Option<String>,
    pub media_type: String,
    pub size: i64,
    pub state: IngestState,
    /// Why it failed, for programs: `encrypted`, `broken`, `too_large`, …
    pub reason: Option<String>,
    /// Why it failed, for people.
    pub detail: Option<String>,
    /// Passages that are embedded and written.
    pub passages_done: i64,
    /// Passages of the version that is being read; 0 while that is not known.
    pub passages_total: i64,
    /// The embedding model; nothing when no model is at hand and words alone are searched.
    pub model: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

/// How to search.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum,
)]
#[graphql(name = "SearchMode")]
#[oai(rename = "SearchMode", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words and by meaning, fused.
    #[default]
    Hybrid,
    /// By words.
    Text,
    /// By meaning.
    Vector,
}

/// Which rung of the ladder answered, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[graphql(name = "SearchRung")]
#[oai(rename = "SearchRung", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RungName {
    /// Words and meaning, fused.
    Hybrid,
    /// Meaning alone, as it was asked for.
    Vector,
    /// Words alone: asked for, or no vectors are at hand.
    Text,
    /// The database's own terms, while the text index is not at hand or behind.
    Database,
    /// Terms that are spelled nearly like those asked for.
    Trigram,
    /// Terms that begin like those asked for.
    Prefix,
    /// Nothing matches on any rung.
    Nothing,
}

/// Which rung answered, and why it was that one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "Rung")]
#[oai(rename = "Rung")]
pub struct Rung {
    pub name: RungName,
    /// Why a better rung did not answer; nothing when the one asked for did.
    pub reason: Option<String>,
    /// The part of the tenant's searchable passages that this rung looks through, 0 to 1.
    pub coverage: f64,
}

/// What one ranker said about a passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "RankerPart")]
#[oai(rename = "RankerPart")]
pub struct RankerPart {
    /// `text` or `vector`.
    pub ranker: String,
    /// Its place with that ranker, from 1.
    pub rank: i64,
    /// That ranker's own score.
    pub score: f64,
    /// What it added to the passage's score.
    pub share: f64,
}

/// A marked part of a passage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Highlight {
    /// First byte in the passage's text.
    pub start: i64,
    /// One past the last byte.
    pub end: i64,
}

/// A passage that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "SearchHit")]
#[oai(rename = "SearchHit")]
pub struct Hit {
    pub document: DocumentId,
    pub collection: CollectionId,
    /// The version of the document that the passage stands in.
    #[oai(rename = "document_version")]
    #[graphql(name = "documentVersion")]
    #[serde(rename = "document_version")]
    pub version: VersionId,
    pub passage: PassageId,
    pub name: String,
    pub title: Option<String>,
    /// The headings above it, outermost first.
    pub heading: Option<String>,
    /// The page that it begins on, in documents with pages.
    pub page: Option<i32>,
    pub text: String,
    /// Its first byte in the text of the document version.
    pub start: i64,
    /// One past its last byte there.
    pub end: i64,
    pub highlights: Vec<Highlight>,
    pub score: f64,
    pub parts: Vec<RankerPart>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "SearchResult")]
#[oai(rename = "SearchResult")]
pub struct Found {
    pub items: Vec<Hit>,
    pub rung: Rung,
}

/// What to search for.
#[derive(Clone, Debug, Default, PartialEq, async_graphql::InputObject, poem_openapi::Object)]
#[graphql(name = "SearchInput")]
#[oai(rename = "SearchInput", deny_unknown_fields)]
pub struct Search {
    /// Words or a question.
    pub query: String,
    /// How many passages, 1 to 100; 10 when left out.
    pub limit: Option<i64>,
    /// Only in these collections; all that may be read when left out.
    pub collections: Option<Vec<CollectionId>>,
    /// Only in documents that match, such as `media_type eq "text/html"`.
    pub filter: Option<String>,
    /// `hybrid` when left out.
    pub mode: Option<Mode>,
}

/// An embedding model that this installation knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "EmbeddingModel")]
#[oai(rename = "EmbeddingModel")]
pub struct ModelView {
    pub name: String,
    /// Numbers in each vector.
    pub dimensions: i64,
    pub usable: bool,
    /// Why it can't be used.
    pub reason: Option<String>,
    /// Whether collections that name no model get this one.
    pub default: bool,
}

/// The models of this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "EmbeddingModels")]
#[oai(rename = "EmbeddingModels")]
pub struct ModelsView {
    pub items: Vec<ModelView>,
}

/// A part of a document's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "DocumentText")]
#[oai(rename = "DocumentText")]
pub struct DocumentText {
    pub document: DocumentId,
    #[oai(rename = "document_version")]
    #[graphql(name = "documentVersion")]
    #[serde(rename = "document_version")]
    pub version: VersionId,
    pub text: String,
    /// Its first byte in the whole text.
    pub start: i64,
    /// One past its last byte.
    pub end: i64,
    /// Bytes of the whole text.
    pub total: i64,
}

/// How the search of a tenant stands.
#[derive(Clone, Debug, PartialEq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[graphql(name = "KnowledgeStatus")]
#[oai(rename = "KnowledgeStatus")]
pub struct Status {
    /// Documents that are found.
    pub documents: i64,
    /// Passages of those.
    pub passages: i64,
    /// Documents that wait or are being read.
    pub in_progress: i64,
    /// Documents that can't be read.
    pub failed: i64,
    /// The last change to what is found.
    pub seq: i64,
    /// How far this process's text index has followed; the same number when it is up to date.
    pub text_seq: i64,
    /// How far its vector indexes have followed.
    pub vector_seq: i64,
}

/// A number of bytes, passages or places as the API and the rows have it: with a sign, and 64 bits.
pub(crate) fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
