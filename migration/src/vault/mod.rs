//! The vault: wrapped keys, collections, documents with their versions, records and grants.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    tenant_tables: &["vault_key", "vault_collection", "vault_document", "vault_version", "vault_record", "vault_grant"],
}];
