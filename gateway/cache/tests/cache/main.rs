//! The cache from outside: behaviour by section of the RFCs, under a clock that the tests move.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, which wait for what they spawn")]

mod collapsing;
mod disk;
mod freshness;
mod hostile;
mod purging;
mod stale;
mod streaming;
mod support;
mod tenants;
mod validation;
