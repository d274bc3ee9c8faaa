//! Certificates from end to end: against the fake CA in process, Pebble and a DNS server.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

mod crowd;
mod dns_update;
mod fairness;
mod faults;
mod outage;
mod pebble;
mod servers;
mod store;
mod takeover;
mod wire;
mod world;
mod year;
