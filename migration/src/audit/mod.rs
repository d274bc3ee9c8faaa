//! The trail of each tenant, and the head of its Merkle tree.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    tenant_tables: &["audit_entry", "audit_head"],
}];
