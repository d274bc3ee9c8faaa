//! The log of events, and how far each subscriber has come.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[Step {
    name: "m20261122_000001_create",
    up: include_str!("m20261122_000001_create.up.sql"),
    down: include_str!("m20261122_000001_create.down.sql"),
    tenant_tables: &["events_log", "events_parked"],
}];
