//! Automatic certificates for the edge: from a name somebody wants to the certificate that answers its handshake.
//!
//! Start at [`Manager`] (what is done) and [`Certificates`] (what is served).
//!
//! - A [`CertificateStore`] says which names are wanted and keeps what is known of each: its [`Progress`], its sealed
//!   certificate, the answers to challenges, leases with fencing tokens, the CA limits spent, and the timeline.
//! - [`decide::next`] reads a [`Progress`] and says what to do; [`transition`] reads what came of it and says what is
//!   known now and when to look again. Both are pure: time is an argument, and what is to be done is data.
//! - The [`Manager`] does it: it takes due names fairly among tenants, holds a lease on each, asks an [`Authority`] and
//!   saves after every step, so that a replica that dies is taken over at the step it had reached.
//! - [`Certificates`] answers handshakes: static files first, then a bounded cache, then the encrypted [`Snapshot`] on
//!   disk, then the store. What is held is served, whatever hangs behind it.
//!
//! It stands on no other crate of the workspace. The store, the sealing key, the clock and DNS come in through traits.
//!
//! Deliberately absent: which names a tenant may claim and whether its DNS points here (the domain directory decides
//! before it says that a name is wanted), SQL, and the revocation of certificates.

mod acme;
mod authority;
mod backoff;
mod bundle;
mod cause;
mod circuit;
pub mod decide;
mod dns;
mod http_answers;
mod keys;
mod manager;
mod name;
mod on_demand;
mod ordering;
mod pacing;
mod perform;
mod ports;
mod progress;
mod queue;
mod renewal;
mod sealing;
mod serve;
mod settings;
mod snapshot;
mod sources;
mod static_files;
mod store;
mod sync;
mod timeline;
mod tls_alpn;
pub mod transition;
mod units;
mod worker;

pub use acme::{AcmeAuthority, AcmeError, ReqwestTransport, TransportLimits};
pub use authority::{
    AskFor, Authority, Authorization, Challenge, OrderStatus, OrderView, Refusal, RefusalKind, RenewalAdvice,
};
pub use bundle::{Bundle, BundleError, Facts};
pub use cause::Cause;
pub use dns::{DnsError, DnsProvider, Rfc2136, Rfc2136Settings, TsigAlgorithm, WebhookDns};
pub use http_answers::HttpAnswers;
pub use keys::{Csr, KeyMaker, RcgenKeys};
pub use manager::{Manager, ManagerParts, Tick};
pub use name::{Name, NameError};
pub use on_demand::OnDemand;
pub use pacing::{Charge, Granted};
pub use ports::{Clock, Random, SealError, Sealer};
pub use progress::{Attempt, Failure, Held, Progress, RenewalPlan, Sealed, Status, Step};
pub use serve::{Managed, ManagedParts};
pub use settings::{CaLimits, ChallengeKind, IssuerSettings, Settings};
pub use snapshot::{Snapshot, SnapshotError};
pub use sources::{Certificates, Hello};
pub use static_files::{CertificateFiles, StaticCertificates, StaticError};
pub use store::{
    Answer, CertificateStore, Due, Issued, Lane, Lease, Record, Save, SealedCertificate, StoreError, Waiting,
};
pub use sync::{SyncReport, Syncer};
pub use timeline::Entry;
