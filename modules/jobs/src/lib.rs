//! Jobs: work that is promised now and done soon, by any process, at least once.
//!
//! Start at [`enqueue`], which promises work in the caller's transaction, and [`Handler`], which does it. [`Jobs`]
//! runs handlers: a bounded number at once, tried again with growing waits, taken over when a process dies.
//!
//! A worker holds the pair (job, attempt). Progress and settling name the pair; once the job has been given to
//! somebody else they change nothing, so a worker that was believed dead can't overwrite its successor.
//!
//! Owns the tables `jobs_*`; stands on `kernel` only.
//! Deliberately absent: exactly-once. What a handler does to the world outside the database may happen twice.

mod config;
mod dispatch;
mod enqueue;
mod error;
mod execute;
pub mod graphql; // faces, for the composition root only
mod handler;
mod liveness;
mod model;
mod periodic;
mod process;
pub mod rest;
mod service;
mod settle;
mod store;
#[cfg(test)]
mod tests;

pub use config::JobsConfig;
pub use enqueue::{NewJob, cancel, enqueue, find, forget, prune};
pub use error::Error;
pub use handler::{Handler, Run};
pub use model::{Job, JobId, JobState, JobStats, Progress, QueueStats};
pub use service::{Jobs, PERMISSIONS, READ, WRITE};
