//! What the trail can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

use crate::model::Outcome;

/// The fields of an entry. Every filter runs within one tenant along the time of its entries.
const FIELDS: &[Field] = &[
    Field::new("id", "id", FieldKind::Id("aud")),
    Field::new("sequence", "sequence", FieldKind::Integer),
    Field::sorted("occurred_at", "occurred_at", FieldKind::Time),
    Field::new("actor_id", "actor_id", FieldKind::Text),
    Field::new("action", "action", FieldKind::Text),
    Field::new("target_kind", "target_kind", FieldKind::Text),
    Field::new("target_id", "target_id", FieldKind::Text),
    Field::new("outcome", "outcome", FieldKind::OneOf(Outcome::WORDS)),
    Field::shown("actor"),
    Field::shown("target"),
    Field::shown("address"),
    Field::shown("request_id"),
    Field::shown("details"),
    Field::shown("leaf_hash"),
];

/// Entries, the newest first.
pub(crate) const LISTING: Listing =
    Listing { resource: "audit.entries", fields: FIELDS, default_sort: "-occurred_at", tie_break: "id" };
