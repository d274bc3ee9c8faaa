//! The queue, and the processes that work on it.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    tenant_tables: &["jobs_job"],
}];
