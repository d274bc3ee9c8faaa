//! The edge: names with their certificates, leases, limits of issuers.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    // The process works through all names; a tenant's faces ask by its domains.
    tenant_tables: &[],
}];
