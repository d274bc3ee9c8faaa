//! What of the vault's searchable documents is searched: their passages, terms and vectors.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    tenant_tables: &[
        "knowledge_document",
        "knowledge_head",
        "knowledge_passage",
        "knowledge_term",
        "knowledge_embedding",
    ],
}];
