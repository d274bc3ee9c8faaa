//! The words of this domain as clients see them.

use chrono::{DateTime, Utc};
use kernel::{Id, IdKind, rest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names an entry of the trail: `aud_…`.
pub enum AuditKind {}
impl IdKind for AuditKind {
    const PREFIX: &'static str = "aud";
}
/// Names an entry of the trail.
pub type AuditId = Id<AuditKind>;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename = "AuditOutcome", rename_all = "snake_case")]
#[graphql(name = "AuditOutcome")]
pub enum Outcome {
    /// It was done.
    Success,
    /// The actor was not allowed to.
    Denied,
    /// It was tried and failed.
    Failure,
}

impl Outcome {
    /// All words, for filters.
    pub(crate) const WORDS: &'static [&'static str] = &["success", "denied", "failure"];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
        }
    }

    /// The outcome of this word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::Success, Self::Denied, Self::Failure].into_iter().find(|outcome| outcome.name() == word)
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct AuditActor {
    /// `account`, `api_key`, `system` or `anonymous`.
    pub kind: String,
    /// The actor's id, if it has one.
    pub id: Option<String>,
    /// The actor's name at that time.
    pub name: String,
}

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct AuditTarget {
    /// The kind of thing, such as `tenant`.
    pub kind: String,
    /// Its id, or the name by which it was asked for.
    pub id: String,
}

/// One entry of the trail.
#[derive(Clone, Debug, PartialEq, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct AuditEntry {
    /// The entry's id.
    pub id: AuditId,
    /// Its number in the tenant's trail, from 0; null for the moment until it is numbered.
    pub sequence: Option<i64>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Who did it.
    pub actor: AuditActor,
    /// What was done, such as `tenancy.role_created`.
    pub action: String,
    /// What it was done to.
    pub target: Option<AuditTarget>,
    /// How it went.
    pub outcome: Outcome,
    /// The client's address.
    pub address: Option<String>,
    /// The request it was part of.
    pub request_id: Option<String>,
    /// What else there is to know.
    pub details: Value,
    /// The leaf of the Merkle tree that commits to this entry, in hexadecimal.
    pub leaf_hash: Option<String>,
}

impl rest::Etag for AuditEntry {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// What a check of the whole trail found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Verification {
    /// Whether all is as it was written.
    pub ok: bool,
    /// The number of entries under the head.
    pub size: i64,
    /// The root of the Merkle tree (RFC 9162), in hexadecimal.
    pub root_hash: String,
    /// How many entries were found to be in order.
    pub checked: i64,
    /// The first thing that is not in order.
    pub first_bad: Option<FirstBad>,
    /// When the check ended.
    pub checked_at: DateTime<Utc>,
    /// Entries that wait to be numbered, which takes a moment; they are not under the head yet.
    pub unsequenced: i64,
}

impl rest::Etag for Verification {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct FirstBad {
    /// The number of the entry; null when it is about the head of the trail or the order as a whole.
    pub sequence: Option<i64>,
    /// What is wrong with it.
    pub reason: String,
}
