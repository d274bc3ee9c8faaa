//! The words of this domain.

use chrono::{DateTime, Utc};
use kernel::{Id, IdKind, TenantId};
use serde::Serialize;

/// Names an event: `evt_…`.
pub enum EventKind {}
impl IdKind for EventKind {
    const PREFIX: &'static str = "evt";
}
/// Names an event.
pub type EventId = Id<EventKind>;

/// Something that happened, as subscribers hear of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name for all time.
    pub id: EventId,
    /// The tenant in which it happened.
    pub tenant: TenantId,
    /// What happened, `module.thing_done`.
    pub kind: String,
    /// Events of a tenant with the same key are heard in their order.
    pub key: String,
    /// What there is to say about it.
    pub data: serde_json::Value,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Something that happened in the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[oai(rename = "Event")]
#[graphql(name = "Event")]
pub struct EventView {
    pub id: EventId,
    /// What happened, such as `tenancy.tenant_created`.
    #[oai(rename = "type")]
    #[graphql(name = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to: events with the same key are delivered in their order.
    pub key: String,
    /// What there is to say about it.
    pub data: serde_json::Value,
    pub occurred_at: DateTime<Utc>,
}

/// A part of this installation that hears events, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, async_graphql::SimpleObject, poem_openapi::Object)]
#[oai(rename = "Subscriber")]
#[graphql(name = "Subscriber")]
pub struct SubscriberView {
    pub name: String,
    /// Its place in the log.
    pub cursor: String,
    /// How many events it has not looked at yet; counted up to 10,000.
    pub lag: i64,
    /// How many events failed or wait behind a failed one of their key.
    pub parked: i64,
    /// How many of those failed so often that they are tried only once an hour.
    pub dead: i64,
    /// Why the oldest of those failed.
    pub last_error: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// A place in the log: the writing transaction's number, and within it the row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) txid: i64,
    pub(crate) seq: i64,
}

impl Position {
    /// Before the first event.
    pub(crate) const BEGINNING: Self = Self { txid: i64::MIN, seq: 0 };
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Logged {
    pub(crate) at: Position,
    pub(crate) event: Event,
}

/// An event that failed before, or waits behind one that did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parked {
    pub(crate) logged: Logged,
    pub(crate) attempts: i32,
}
