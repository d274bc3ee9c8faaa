//! The certificate store over the database: each call one transaction across all tenants.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edge_certificates::{
    CertificateStore, ChallengeKind, Charge, Due, Entry, Granted, Issued, Lease, Name, Record, Save, StoreError,
    Waiting,
};
use kernel::{Caller, Db, Problem, Tx};

use crate::store::{answers, charges, issued, leases, names, saving, timeline};

/// Names, certificates, leases, limits and timelines in the database, shared by all replicas.
///
/// The database may come later: until then every call says that the store can't be used, and what is held is served.
#[derive(Clone, Default)]
pub struct CertificateRows {
    db: Arc<OnceLock<Db>>,
}

/// Why a call did not do it.
pub(crate) enum Fault {
    Stale,
    Kernel(Problem),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Stale => Self::internal("a lease was lost where none is held"),
            Fault::Kernel(problem) => problem,
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Stale => Self::Stale,
            Fault::Kernel(problem) => Self::Unavailable(problem.detail),
        }
    }
}

impl CertificateRows {
    /// From now on the rows are in this database; the first one stays.
    pub fn attach(&self, db: Db) {
        drop(self.db.set(db));
    }

    /// The database, once it is there.
    pub(crate) fn database(&self) -> Option<&Db> {
        self.db.get()
    }

    fn db(&self) -> Result<&Db, StoreError> {
        self.database().ok_or_else(|| StoreError::Unavailable("it is not open yet".to_owned()))
    }

    async fn read<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T, Fault> + Clone) -> Result<T, StoreError> {
        Ok(self.db()?.read(&caller(), work).await?)
    }

    async fn write<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T, Fault> + Clone) -> Result<T, StoreError> {
        Ok(self.db()?.write(&caller(), work).await?)
    }
}

fn caller() -> Caller {
    Caller::platform("edge")
}

#[async_trait]
impl CertificateStore for CertificateRows {
    async fn want(&self, name: &Name, tenant: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(async |tx: &Tx| names::want(tx, name, tenant, now).await).await
    }

    async fn unwant(&self, name: &Name, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(async |tx: &Tx| names::unwant(tx, name, now).await).await
    }

    async fn record(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        self.read(async |tx: &Tx| names::find(tx, name).await).await
    }

    async fn due(&self, asked: Due) -> Result<Vec<Waiting>, StoreError> {
        self.read(async |tx: &Tx| names::due(tx, asked).await).await
    }

    async fn make_due(&self, name: &Name, at: DateTime<Utc>, forgive: bool) -> Result<bool, StoreError> {
        self.write(async |tx: &Tx| names::make_due(tx, name, at, forgive).await).await
    }

    async fn lease(
        &self,
        key: &str,
        holder: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.write(async |tx: &Tx| leases::take(tx, key, holder, now, length).await).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write(async |tx: &Tx| leases::release(tx, lease).await).await
    }

    async fn save(&self, lease: &Lease, save: Save) -> Result<(), StoreError> {
        self.write(async |tx: &Tx| saving::save(tx, lease, &save).await).await
    }

    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Granted, StoreError> {
        self.write(async |tx: &Tx| charges::charge(tx, charges, now).await).await
    }

    async fn note(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(async |tx: &Tx| charges::note(tx, charges, now).await).await
    }

    async fn account(&self, issuer: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(async |tx: &Tx| leases::account(tx, issuer).await).await
    }

    async fn put_account(&self, issuer: &str, former: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StoreError> {
        self.write(async |tx: &Tx| leases::put_account(tx, issuer, former, sealed).await).await
    }

    async fn http_answer(&self, token: &str) -> Result<Option<String>, StoreError> {
        self.read(async |tx: &Tx| answers::by_token(tx, ChallengeKind::Http01, token).await).await
    }

    async fn tls_alpn_answer(&self, host: &str) -> Result<Option<String>, StoreError> {
        self.read(async |tx: &Tx| answers::by_host(tx, ChallengeKind::TlsAlpn01, host).await).await
    }

    async fn certificate(&self, name: &Name) -> Result<Option<Issued>, StoreError> {
        self.read(async |tx: &Tx| issued::find(tx, name).await).await
    }

    async fn issued_since(&self, cursor: u64, limit: u32) -> Result<Vec<Issued>, StoreError> {
        self.read(async |tx: &Tx| issued::since(tx, cursor, limit).await).await
    }

    async fn timeline(&self, name: &Name, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.read(async |tx: &Tx| timeline::latest(tx, name, limit).await).await
    }
}
