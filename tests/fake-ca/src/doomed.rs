//! Killing at the n-th step: the call that is doomed never ends, before or after it was carried out, and says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edge_certificates::{
    AskFor, Authority, Authorization, CertificateStore, ChallengeKind, Charge, Due, Entry, Facts, Granted, Issued,
    Lease, Name, OrderView, Record, Refusal, RenewalAdvice, Save, StoreError, Waiting,
};
use tokio::sync::Notify;

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    BeforeCall(u64),
    AfterCall(u64),
    Never,
}

/// Counts calls to the store and the CA, and stops at one of them.
#[derive(Debug)]
pub struct Doomed {
    moment: Moment,
    calls: AtomicU64,
    /// The moment has come: drop what is running.
    pub reached: Notify,
}

impl Doomed {
    pub fn new(moment: Moment) -> Arc<Self> {
        Arc::new(Self { moment, calls: AtomicU64::new(0), reached: Notify::new() })
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn run<T: Send>(&self, call: impl Future<Output = T> + Send) -> T {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.moment == Moment::BeforeCall(count) {
            self.die().await;
        }
        let done = call.await;
        if self.moment == Moment::AfterCall(count) {
            self.die().await;
        }
        done
    }

    async fn die(&self) {
        self.reached.notify_one();
        std::future::pending::<()>().await;
    }
}

/// A store whose calls are counted.
pub struct DoomedStore(pub Arc<dyn CertificateStore>, pub Arc<Doomed>);
/// A CA whose calls are counted.
pub struct DoomedCa(pub Arc<dyn Authority>, pub Arc<Doomed>);

#[async_trait]
impl CertificateStore for DoomedStore {
    async fn want(&self, name: &Name, tenant: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.1.run(self.0.want(name, tenant, now)).await
    }
    async fn unwant(&self, name: &Name, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.1.run(self.0.unwant(name, now)).await
    }
    async fn record(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        self.1.run(self.0.record(name)).await
    }
    async fn due(&self, asked: Due) -> Result<Vec<Waiting>, StoreError> {
        self.1.run(self.0.due(asked)).await
    }
    async fn make_due(&self, name: &Name, at: DateTime<Utc>, forgive: bool) -> Result<bool, StoreError> {
        self.1.run(self.0.make_due(name, at, forgive)).await
    }
    async fn lease(
        &self,
        key: &str,
        holder: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.1.run(self.0.lease(key, holder, now, length)).await
    }
    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.1.run(self.0.release(lease)).await
    }
    async fn save(&self, lease: &Lease, save: Save) -> Result<(), StoreError> {
        self.1.run(self.0.save(lease, save)).await
    }
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Granted, StoreError> {
        self.1.run(self.0.charge(charges, now)).await
    }
    async fn note(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.1.run(self.0.note(charges, now)).await
    }
    async fn account(&self, issuer: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.1.run(self.0.account(issuer)).await
    }
    async fn put_account(&self, issuer: &str, former: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StoreError> {
        self.1.run(self.0.put_account(issuer, former, sealed)).await
    }
    async fn http_answer(&self, token: &str) -> Result<Option<String>, StoreError> {
        self.1.run(self.0.http_answer(token)).await
    }
    async fn tls_alpn_answer(&self, host: &str) -> Result<Option<String>, StoreError> {
        self.1.run(self.0.tls_alpn_answer(host)).await
    }
    async fn certificate(&self, name: &Name) -> Result<Option<Issued>, StoreError> {
        self.1.run(self.0.certificate(name)).await
    }
    async fn issued_since(&self, cursor: u64, limit: u32) -> Result<Vec<Issued>, StoreError> {
        self.1.run(self.0.issued_since(cursor, limit)).await
    }
    async fn timeline(&self, name: &Name, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.1.run(self.0.timeline(name, limit)).await
    }
}

#[async_trait]
impl Authority for DoomedCa {
    async fn order(&self, ask: AskFor<'_>) -> Result<OrderView, Refusal> {
        self.1.run(self.0.order(ask)).await
    }
    async fn look(&self, order: &str) -> Result<OrderView, Refusal> {
        self.1.run(self.0.look(order)).await
    }
    async fn authorizations(&self, order: &str) -> Result<Vec<Authorization>, Refusal> {
        self.1.run(self.0.authorizations(order)).await
    }
    async fn ready(&self, order: &str, kind: ChallengeKind) -> Result<(), Refusal> {
        self.1.run(self.0.ready(order, kind)).await
    }
    async fn failed_validation(&self, order: &str) -> Result<Option<Refusal>, Refusal> {
        self.1.run(self.0.failed_validation(order)).await
    }
    async fn finalize(&self, order: &str, csr_der: &[u8]) -> Result<OrderView, Refusal> {
        self.1.run(self.0.finalize(order, csr_der)).await
    }
    async fn download(&self, order: &str) -> Result<String, Refusal> {
        self.1.run(self.0.download(order)).await
    }
    fn read(&self, chain_pem: &str) -> Result<Facts, Refusal> {
        self.0.read(chain_pem)
    }
    async fn renewal_advice(&self, ari_id: &str) -> Result<RenewalAdvice, Refusal> {
        self.1.run(self.0.renewal_advice(ari_id)).await
    }
}
