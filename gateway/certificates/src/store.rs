//! The store as this crate needs it. A database implements it elsewhere; the tests of `fake-ca` (`store_contract`) say
//! what it must do, on every engine.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    name::Name,
    pacing::{Charge, Granted},
    progress::{Progress, Step},
    settings::ChallengeKind,
    timeline::Entry,
};

/// The store could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The lease was lost to another replica, or the name is gone: nothing was written.
    #[error("The lease on this name is held by another replica now.")]
    Stale,
    /// Locked, gone, read-only, or too slow.
    #[error("The certificate store can't be used: {0}")]
    Unavailable(String),
}

/// Names, certificates, leases, limits and the timeline, shared by all replicas.
///
/// Every function is one transaction: all of it happens or nothing.
#[async_trait]
pub trait CertificateStore: Send + Sync + 'static {
    /// From now on `name` is wanted by `tenant`: it is due at `now` in [`Lane::Starting`], unless it is known already,
    /// in which case it keeps its progress and its certificate, is wanted (again), and belongs to `tenant`.
    async fn want(&self, name: &Name, tenant: &str, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// `name` is not wanted any more: it is due at `now` in [`Lane::Working`], to be forgotten.
    async fn unwant(&self, name: &Name, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// All that is known of a name; none if it was never wanted or is forgotten.
    async fn record(&self, name: &Name) -> Result<Option<Record>, StoreError>;

    /// Names of a lane that are due and not leased: of each tenant at most `per_tenant`, the longest due first; the
    /// first of every tenant before the second of any, `limit` in all.
    async fn due(&self, asked: Due) -> Result<Vec<Waiting>, StoreError>;

    /// Moves a name's due time to `at` if it is later and nothing is under way, and takes a failure's wait away if
    /// `forgive`. Answers whether anything changed.
    async fn make_due(&self, name: &Name, at: DateTime<Utc>, forgive: bool) -> Result<bool, StoreError>;

    /// Takes the lease on `key` (a name, or `account:<issuer>`) if it is free or has run out at `now`; a holder does
    /// not get it twice. The token is greater than any before for this key.
    async fn lease(
        &self,
        key: &str,
        holder: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Lease>, StoreError>;

    /// Gives a lease back early. One that was lost is left alone.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Writes a step and moves the lease's end to `save.lease_until`, which ends it if that is now.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the token is not the latest for this name, even if nobody else has written since.
    async fn save(&self, lease: &Lease, save: Save) -> Result<(), StoreError>;

    /// Takes all charges or none, counting exactly: in each bucket, what was taken in `(now - window, now]` and this
    /// together stay within its limit. Concurrent calls never exceed it.
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Granted, StoreError>;

    /// Notes charges for what has happened already, beyond the limit too.
    async fn note(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<(), StoreError>;

    /// The sealed account at an issuer.
    async fn account(&self, issuer: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps the sealed account at an issuer in place of `former` (none: of nothing). Answers whether it was so.
    async fn put_account(&self, issuer: &str, former: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StoreError>;

    /// The key authorization for an HTTP-01 token.
    async fn http_answer(&self, token: &str) -> Result<Option<String>, StoreError>;

    /// The key authorization of the TLS-ALPN-01 challenge that is set for a host.
    async fn tls_alpn_answer(&self, host: &str) -> Result<Option<String>, StoreError>;

    /// The certificate issued last for a name.
    async fn certificate(&self, name: &Name) -> Result<Option<Issued>, StoreError>;

    /// Certificates issued or withdrawn after `cursor`, in the order of their versions, at most `limit`. It may tell of
    /// one again and must never skip one, also when transactions commit in another order than they began.
    async fn issued_since(&self, cursor: u64, limit: u32) -> Result<Vec<Issued>, StoreError>;

    /// The latest entries of a name's timeline, newest first; those of its present tenant only.
    async fn timeline(&self, name: &Name, limit: u32) -> Result<Vec<Entry>, StoreError>;
}

/// A name and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: Name,
    /// Whose it is, in the store's words; the queue is fair among them.
    pub tenant: String,
    pub wanted: bool,
    pub progress: Progress,
    /// When to look at it again.
    pub due: DateTime<Utc>,
    pub lane: Lane,
}

/// A name that is due: what the queue needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub name: Name,
    pub tenant: String,
    pub due: DateTime<Utc>,
    pub lane: Lane,
}

/// Why a name is due: kept in a column of its own, so that [`CertificateStore::due`] can ask by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// An order is under way, or the name is to be forgotten.
    Working,
    /// The certificate is to be renewed.
    Renewing,
    /// The first certificate is to be ordered.
    Starting,
    /// The CA is to be asked when to renew.
    Checking,
}

impl Lane {
    /// In the order in which they are served.
    pub const ALL: [Self; 4] = [Self::Working, Self::Renewing, Self::Starting, Self::Checking];

    /// A short stable word for the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Renewing => "renewing",
            Self::Starting => "starting",
            Self::Checking => "checking",
        }
    }
}

/// What [`CertificateStore::due`] is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub lane: Lane,
    pub now: DateTime<Utc>,
    pub per_tenant: u32,
    pub limit: u32,
}

/// The right to write to a name, until it runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub key: String,
    pub holder: String,
    /// Grows with each lease of this key.
    pub token: u64,
}

/// One step, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    pub progress: Progress,
    pub due: DateTime<Utc>,
    pub lane: Lane,
    pub lease_until: DateTime<Utc>,
    /// Appended to the timeline under the name's present tenant.
    pub entries: Vec<Entry>,
    /// Some: these replace all the answers of this name.
    pub answers: Option<Vec<Answer>>,
    /// A certificate just issued; it gets a new version.
    pub certificate: Option<SealedCertificate>,
    /// Forget the name if it is still unwanted: record, answers and lease go; its certificate is withdrawn under a new
    /// version; the timeline stays.
    pub forget: bool,
}

/// The answer to a challenge: any replica gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP-01 or TLS-ALPN-01.
    pub kind: ChallengeKind,
    pub host: String,
    pub token: String,
    pub key_authorization: String,
}

/// A chain and its key, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCertificate(pub Vec<u8>);

/// A certificate as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub name: Name,
    /// Grows over the whole store with each certificate issued or withdrawn.
    pub version: u64,
    /// None: it was withdrawn.
    pub sealed: Option<SealedCertificate>,
}

impl Record {
    /// A name that is new to the store.
    pub fn new(name: Name, tenant: impl Into<String>, now: DateTime<Utc>) -> Self {
        let (tenant, progress) = (tenant.into(), Progress::default());
        Self { name, tenant, wanted: true, progress, due: now, lane: Lane::Starting }
    }

    /// The record after [`CertificateStore::make_due`]; none if it stays as it is.
    #[must_use]
    pub fn made_due(&self, at: DateTime<Utc>, forgive: bool) -> Option<Self> {
        if self.progress.step != Step::Waiting || self.due <= at || (self.progress.failure.is_some() && !forgive) {
            return None;
        }
        let mut moved = self.clone();
        if let Some(failure) = &mut moved.progress.failure {
            failure.next_try = at;
        }
        if let Some(plan) = moved.progress.renewal.as_mut().filter(|_| forgive) {
            plan.at = plan.at.min(at);
        } else if moved.progress.held.is_some() && moved.progress.failure.is_none() {
            return None;
        }
        moved.due = at;
        moved.lane = crate::transition::lane(&moved.progress);
        Some(moved)
    }
}
