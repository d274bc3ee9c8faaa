//! The cache from outside: behaviour by section of the RFCs, under a clock that the tests move.
#![expect(clippy::unwrap_used, reason = "tests")]

mod collapsing;
mod freshness;
mod hostile;
mod purging;
mod stale;
mod streaming;
mod support;
mod tenants;
mod validation;
