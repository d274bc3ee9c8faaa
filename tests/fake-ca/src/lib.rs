//! A certificate authority for tests: one deterministic state machine with two faces, and what tests of certificates
//! need around it.
//!
//! - [`Ca`] is the machine: accounts, orders, authorizations, certificates, limits that it counts, and a [`Script`] of
//!   faults. Its clock and its seed are passed in; [`Ca::trace`] digests all that happened.
//! - [`LogicalCa`] is its face without HTTP and cryptography, for a simulated year.
//! - [`WireCa`] is its face of RFC 8555 and RFC 9773 with signatures really verified: in process as an HTTP client for
//!   instant-acme, or on a TLS socket by [`serve`].
//! - [`MemoryStore`] keeps what a `CertificateStore` keeps, and can hang, err or be read-only; [`store_contract`] says
//!   what every store must do.
//! - [`Doomed`] kills at the n-th step.

mod ca;
mod doomed;
mod faults;
mod issue;
mod jws;
mod limits;
mod logical;
mod memory;
mod memory_tables;
mod seams;
mod socket;
pub mod store_contract;
mod validate;
mod wire;

pub use ca::{Ca, CaConfig, Problem, Trace};
pub use doomed::{Doomed, DoomedCa, DoomedStore, Moment};
pub use faults::{CaStep, Fault, Script, WrongCertificate};
pub use issue::Signer;
pub use limits::Breach;
pub use logical::{LogicalCa, SimKeys};
pub use memory::{MemoryStore, StoreFault};
pub use seams::{ManualClock, PausedClock, SeededRandom, TestSealer};
pub use socket::{Served, serve};
pub use validate::{StoreValidator, Validator, WorldValidator};
pub use wire::{InProcess, WireCa, txt_value};
