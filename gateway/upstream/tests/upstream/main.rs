//! Pools against upstream servers of their own, on free ports, in good and in bad health.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that can't go on has failed, and its tasks end with its runtime"
)]

mod cancelling;
mod egress;
mod five;
mod forwarding;
mod health;
mod limits;
mod protocols;
mod replacing;
mod retries;
mod smuggling;
mod support;
mod timeouts;
mod upgrades;
