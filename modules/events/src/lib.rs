//! Events: what happened, told to whoever subscribes, at least as long as they need to hear it.
//!
//! Start at [`publish`], which writes an event in the caller's transaction, and [`Subscriber`], which hears of it.
//! [`Events`] delivers: each subscriber has one place in one log, goes on from there after a crash, does its work and
//! notes it in the same transaction, and gets the events of a key in their order.
//!
//! Owns the tables `events_*`; stands on `kernel` only. It publishes nothing itself.
//! Deliberately absent: deleting or changing an event. The log only grows, and [`prune`] takes off its old end.

mod attempt;
mod delivery;
mod error;
pub mod graphql; // faces, for the composition root only
mod list;
mod model;
mod prune;
mod publish;
pub mod rest;
mod restored;
mod store;
mod subscriber;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use list::{PERMISSIONS, READ};
pub use model::{Event, EventId, EventView, SubscriberView};
pub use prune::prune;
pub use publish::publish;
pub use subscriber::{Events, Subscriber};
