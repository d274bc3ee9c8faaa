//! A store in memory that can fail as a database does.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{
    CertificateStore, ChallengeKind, Charge, Due, Entry, Granted, Issued, Lane, Lease, Name, Record, Save, StoreError,
    Waiting,
};

use crate::memory_tables::Tables;

/// How the store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreFault {
    #[default]
    None,
    /// Every call fails.
    Gone,
    /// No call ends: the database is locked.
    Hangs,
    /// Reads are answered, writes fail.
    ReadOnly,
}

/// [`CertificateStore`] in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    fault: Mutex<StoreFault>,
}

impl MemoryStore {
    /// Fails so from now on.
    pub fn fail(&self, fault: StoreFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// When the next name becomes due after `now`.
    pub fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let tables = self.tables();
        let later = now + TimeDelta::milliseconds(1);
        let first = |lane: &Lane| {
            let next = tables.due.range((*lane, later, None)..).next();
            next.filter(|(found, _, _)| found == lane).map(|(_, due, _)| *due)
        };
        Lane::ALL.iter().filter_map(first).min()
    }

    /// The certificate that expires first, of the names that have one.
    pub fn first_to_expire(&self) -> Option<(DateTime<Utc>, Name)> {
        self.tables().expiring.first().cloned()
    }

    /// From now on this name does not count for [`MemoryStore::first_to_expire`].
    pub fn expect_to_expire(&self, name: &Name) {
        self.tables().expect_to_expire(name);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reads(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.reach(false).await?;
        Ok(self.tables())
    }

    async fn writes(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.reach(true).await?;
        Ok(self.tables())
    }

    async fn reach(&self, write: bool) -> Result<(), StoreError> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            StoreFault::Gone => Err(StoreError::Unavailable("it is gone".into())),
            StoreFault::Hangs => std::future::pending().await,
            StoreFault::ReadOnly if write => Err(StoreError::Unavailable("it is read-only".into())),
            StoreFault::ReadOnly | StoreFault::None => Ok(()),
        }
    }
}

#[async_trait]
impl CertificateStore for MemoryStore {
    async fn want(&self, name: &Name, tenant: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.writes().await?.want(name, tenant, now);
        Ok(())
    }

    async fn unwant(&self, name: &Name, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tables = self.writes().await?;
        if let Some(mut record) = tables.record(name) {
            (record.wanted, record.due, record.lane) = (false, now, Lane::Working);
            tables.put(record);
        }
        Ok(())
    }

    async fn record(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        Ok(self.reads().await?.record(name))
    }

    async fn due(&self, asked: Due) -> Result<Vec<Waiting>, StoreError> {
        Ok(self.reads().await?.due(asked))
    }

    async fn make_due(&self, name: &Name, at: DateTime<Utc>, forgive: bool) -> Result<bool, StoreError> {
        let mut tables = self.writes().await?;
        let moved = tables.record(name).and_then(|record| record.made_due(at, forgive));
        Ok(moved.map(|record| tables.put(record)).is_some())
    }

    async fn lease(
        &self,
        key: &str,
        holder: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let until = now + TimeDelta::from_std(length).unwrap_or_default();
        let mut tables = self.writes().await?;
        let held = tables.leases.entry(key.to_owned()).or_default();
        if held.until.is_some_and(|until| until > now) {
            return Ok(None);
        }
        held.token += 1;
        held.until = Some(until);
        Ok(Some(Lease { key: key.to_owned(), holder: holder.to_owned(), token: held.token }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut tables = self.writes().await?;
        if let Some(held) = tables.leases.get_mut(&lease.key).filter(|held| held.token == lease.token) {
            held.until = None;
        }
        Ok(())
    }

    async fn save(&self, lease: &Lease, save: Save) -> Result<(), StoreError> {
        self.writes().await?.save(lease, save)
    }

    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Granted, StoreError> {
        Ok(self.writes().await?.charge(charges, now))
    }

    async fn note(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tables = self.writes().await?;
        charges.iter().for_each(|charge| tables.take(charge, now));
        Ok(())
    }

    async fn account(&self, issuer: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.reads().await?.accounts.get(issuer).cloned())
    }

    async fn put_account(&self, issuer: &str, former: Option<&[u8]>, sealed: &[u8]) -> Result<bool, StoreError> {
        let mut tables = self.writes().await?;
        let same = tables.accounts.get(issuer).map(Vec::as_slice) == former;
        if same {
            tables.accounts.insert(issuer.to_owned(), sealed.to_vec());
        }
        Ok(same)
    }

    async fn http_answer(&self, token: &str) -> Result<Option<String>, StoreError> {
        Ok(self.reads().await?.answer(ChallengeKind::Http01, |answer| answer.token == token))
    }

    async fn tls_alpn_answer(&self, host: &str) -> Result<Option<String>, StoreError> {
        Ok(self.reads().await?.answer(ChallengeKind::TlsAlpn01, |answer| answer.host == host))
    }

    async fn certificate(&self, name: &Name) -> Result<Option<Issued>, StoreError> {
        Ok(self.reads().await?.issued.get(name).cloned())
    }

    async fn issued_since(&self, cursor: u64, limit: u32) -> Result<Vec<Issued>, StoreError> {
        let tables = self.reads().await?;
        let later = tables.versions.range(cursor.saturating_add(1)..);
        let issued = later.filter_map(|(_, name)| tables.issued.get(name).cloned());
        Ok(issued.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn timeline(&self, name: &Name, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let tables = self.reads().await?;
        let Some(record) = tables.record(name) else { return Ok(Vec::new()) };
        let entries = tables.timeline.get(name).into_iter().flatten().rev();
        let own = entries.filter(|(tenant, _)| *tenant == record.tenant).map(|(_, entry)| entry.clone());
        Ok(own.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }
}
