//! What an answer is made from, and what it cites.

use serde::{Deserialize, Serialize};

use super::{CollectionId, DocumentId, VersionId};

/// A piece of a document that was found for a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// The document.
    pub document: DocumentId,
    /// Its version.
    pub version: VersionId,
    /// The collection that holds it.
    pub collection: CollectionId,
    /// The document's name.
    pub name: String,
    /// The heading above the passage.
    pub heading: Option<String>,
    /// The passage itself: bytes `start` to `end` of the version's extracted text.
    pub text: String,
    /// Where it begins, in bytes of the extracted text.
    pub start: u64,
    /// Where it ends, exclusive.
    pub end: u64,
    /// How well it fits; higher is better.
    pub score: f64,
}

/// What was found for a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retrieved {
    /// The passages, the best first.
    pub passages: Vec<Passage>,
    /// Which way of searching answered, such as `hybrid`.
    pub rung: String,
}

/// A place in a document that an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Citation {
    /// The number that stands in the answer's text in square brackets.
    pub number: u32,
    /// The document.
    pub document: DocumentId,
    /// Its version.
    pub version: VersionId,
    /// The collection that holds it.
    pub collection: CollectionId,
    /// The document's name.
    pub name: String,
    /// Where the passage begins, in bytes of the version's extracted text.
    pub start: u64,
    /// Where it ends, exclusive.
    pub end: u64,
}
