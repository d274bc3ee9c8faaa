//! What Holdfast's tests stand on: private PostgreSQL clusters, brokers, real servers and a plain HTTP client.
//!
//! Start with [`on_both_engines!`] and [`Front::shared`] for a test through the front door, with [`Server`] for one
//! that kills or reconfigures its server, and with [`db`] for a module alone on a fresh database.
//! Everything a test starts lives in its [`run`] and ends with it, whatever happens to the test process.
//!
//! Helpers here panic with a sentence instead of returning errors: in a test that is the report.
#![expect(clippy::missing_panics_doc, reason = "every helper of a test fails by panicking")]

mod answer;
mod broker;
mod client;
mod db;
mod dns;
mod engine;
mod front;
mod launch;
mod postgres;
mod run;
mod server;

pub use answer::Answer;
pub use broker::Broker;
pub use client::{Client, Request};
pub use db::{TestDb, db};
pub use dns::Dns;
pub use engine::{Engine, Store};
pub use front::{Front, Tenant};
pub use launch::{OPERATOR, PASSWORD};
pub use postgres::{Database, Postgres};
pub use server::{Builder, Server};

/// Fails the test with `what` and the cause.
#[track_caller]
pub(crate) fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
