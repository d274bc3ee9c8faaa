//! Collections.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Id, IdKind, Patch};
use serde::{Deserialize, Serialize};

/// Names a collection: `col_…`.
pub enum CollectionKind {}
impl IdKind for CollectionKind {
    const PREFIX: &'static str = "col";
}
/// Names a collection.
pub type CollectionId = Id<CollectionKind>;

/// Documents and records that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Collection {
    /// Names the collection.
    pub id: CollectionId,
    /// Name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether its documents can be searched. If not, nothing of them is ever on the disk in the clear; it stays as it was made.
    pub searchable: bool,
    /// The JSON Schema that its records fit.
    pub schema: Option<serde_json::Value>,
    /// The embedding model of its documents.
    pub model: Option<String>,
    /// Whose it is; none if the process made it.
    pub owner_id: Option<AccountId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a collection is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewCollection {
    /// Name for people, 1 to 255 characters.
    #[oai(validator(max_length = 1000))]
    pub name: String,
    /// What it is for, at most 2000 characters.
    #[oai(validator(max_length = 4000))]
    pub description: Option<String>,
    /// Whether its documents can be searched; it can't be changed later.
    pub searchable: bool,
    /// A JSON Schema (2020-12) for its records, at most 32 KiB, which refers to itself by `#/$defs/…` only.
    pub schema: Option<serde_json::Value>,
    /// The embedding model of its documents.
    #[oai(validator(max_length = 100))]
    pub model: Option<String>,
}

/// What can be changed of a collection.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateCollection {
    /// Name for people, 1 to 255 characters.
    #[graphql(default)]
    pub name: Patch<String>,
    /// What it is for, at most 2000 characters.
    #[graphql(default)]
    pub description: Patch<String>,
    /// The whole new JSON Schema for its records; records that are there are measured when they next change.
    #[graphql(default)]
    pub schema: Patch<serde_json::Value>,
    /// The embedding model of its documents.
    #[graphql(default)]
    pub model: Patch<String>,
}
