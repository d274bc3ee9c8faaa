//! Records.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Id, IdKind, Patch};
use serde::{Deserialize, Serialize};

use super::collection::CollectionId;

/// Names a record: `rec_…`.
pub enum RecordKind {}
impl IdKind for RecordKind {
    const PREFIX: &'static str = "rec";
}
/// Names a record.
pub type RecordId = Id<RecordKind>;

/// A JSON object that fits its collection's schema. At rest it is always sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Record {
    /// Names the record.
    pub id: RecordId,
    /// Where it belongs.
    pub collection_id: CollectionId,
    /// What it says.
    pub data: serde_json::Value,
    /// Whose it is; none if the process made it.
    pub owner_id: Option<AccountId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a record is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewRecord {
    /// Where it belongs.
    pub collection_id: CollectionId,
    /// A JSON object, at most 256 KiB.
    pub data: serde_json::Value,
}

/// What can be changed of a record.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateRecord {
    /// A merge patch of what it says (RFC 7396): null takes a member out, what is not named stays.
    #[graphql(default)]
    pub data: Patch<serde_json::Value>,
}
