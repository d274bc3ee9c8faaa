//! The audit trail: who did what, in which order, in a form that can't be changed unseen.
//!
//! Start at [`append`], which writes an entry in the transaction of the change it tells of, and at [`Audit`], which
//! numbers, lists, exports and verifies. Owns the tables `audit_*`, publishes nothing, stands on `kernel` and `jobs`.
//!
//! # What is kept
//! - **Text.** An entry is one JSON object in canonical form (RFC 8785): `format` (1), `tenant`, `id`, `occurred_at`,
//!   `actor`, `action`, `target`, `outcome`, `address`, `request_id`, `details`. Numbers are IEEE doubles there, so
//!   what needs more than 53 bits goes in as text.
//! - **Commitment**: `HMAC-SHA256(key = salt, message = text)` with 16 random bytes of salt for each entry.
//! - **Leaf**: `SHA-256(0x00 || commitment)` (RFC 9162, 2.1.1). The tree is built over commitments, so salt and text
//!   of an entry can one day be erased, beyond guessing, while its leaf stays and the tree still fits.
//! - **Sequence**: the entry's leaf index in its tenant's tree, from 0, without a gap. It is given after the commit,
//!   by one sequencer at a time, so that writers never queue for the end of the trail: the order of numbers is the
//!   order of the sequencer's batches, and within a batch that of ids (the time of writing, to the millisecond).
//! - **Head**: size and root of the tree, with a tag under the root key. Who can only write the database can neither
//!   make a head nor have a changed one extended. An older head with just its older rows does fit: against a
//!   database that is rolled back as a whole, keep the head of an export elsewhere.
//!
//! Reading the trail is on record too: `audit.entries_read`, `audit.entries_exported`, `audit.verified`.

mod audit;
mod commitment;
mod content;
mod entry;
mod error;
mod export;
pub mod graphql;
mod head;
mod listing;
mod merkle;
mod model;
pub mod rest;
mod sequencer;
mod store;
mod verify;
mod verify_job;

pub use audit::{Audit, EXPORT, PERMISSIONS, READ};
pub use entry::{Entry, append, record};
pub use error::Error;
pub use export::Export;
pub use model::{AuditActor, AuditEntry, AuditId, AuditKind, AuditTarget, FirstBad, Outcome, Verification};
pub use sequencer::forget;
