//! House-keeping: what no row names goes from the store, what was deleted goes when its grace is over, and a purged
//! tenant's vault goes with it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use events::{Event, Subscriber};
use futures_util::StreamExt;
use jobs::{Handler, Run};
use kernel::{Caller, Problem, Tasks, TenantId, Tx};
use object_store::path::Path;
use uuid::Uuid;

use crate::Vault;
use crate::blobs::{Blobs, Found};
use crate::error::Error;
use crate::store;

/// Rung when something in the store is to go.
const BELL: &str = "vault.doomed";
/// How old bytes without a row must be for a sweep to take them: no upload takes this long between its last byte and
/// its row.
const SETTLED: TimeDelta = TimeDelta::hours(1);
/// Versions that are looked up at once.
const BATCH: usize = 500;

/// What is to go from the store.
#[derive(Clone, Debug)]
pub(crate) enum Doomed {
    /// One thing.
    Blob(Path),
    /// All of a tenant.
    Tenant(TenantId),
}

struct Purge(Vault);

#[async_trait]
impl Handler for Purge {
    fn kind(&self) -> &'static str {
        "vault.purge"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(3600))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        while !run.is_cancelled() && self.0.purge_due().await? > 0 {}
        Ok(())
    }
}

struct Sweep(Vault);

#[async_trait]
impl Handler for Sweep {
    fn kind(&self) -> &'static str {
        "vault.sweep"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(6 * 3600))
    }

    async fn run(&self, _run: &Run) -> Result<(), Problem> {
        let before = self.0.db().clock().now() - SETTLED;
        Ok(self.0.sweep(before).await.map(|_| ())?)
    }
}

struct Farewell(Vault);

#[async_trait]
impl Subscriber for Farewell {
    fn name(&self) -> &'static str {
        "vault.farewell"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["tenancy.tenant_purged"]
    }

    async fn handle(&self, tx: &Tx, _event: &Event) -> Result<(), Problem> {
        store::purge::tenant(tx).await?;
        self.0.changed(tx);
        let (vault, tenant) = (self.0.clone(), tx.tenant());
        tx.on_commit(move || vault.push_doomed(Doomed::Tenant(tenant)));
        Ok(())
    }
}

impl Vault {
    /// The jobs of this module.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(Purge(self.clone())), Arc::new(Sweep(self.clone()))]
    }

    /// What this module does when something happens elsewhere.
    pub fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![Arc::new(Farewell(self.clone()))]
    }

    /// Starts the background work: first away with what a crash left behind, then with whatever is doomed.
    pub fn start(&self, tasks: &Tasks) {
        let (vault, running) = (self.clone(), tasks.clone());
        let begun = self.db().clock().now();
        tasks.spawn(async move {
            if let Err(error) = vault.sweep(begun).await {
                tracing::warn!(%error, "the store of the documents could not be swept");
            }
            let bell = vault.db().signals().bell(BELL);
            loop {
                vault.remove_doomed().await;
                tokio::select! {
                    () = bell.notified() => {}
                    () = running.stopping() => break,
                }
            }
        });
    }

    /// Has something go from the store soon.
    pub(crate) fn doom(&self, path: Path) {
        self.push_doomed(Doomed::Blob(path));
    }

    fn push_doomed(&self, doomed: Doomed) {
        self.0.doomed.lock().unwrap_or_else(PoisonError::into_inner).push(doomed);
        self.db().signals().ring(BELL);
    }

    /// Removes what is doomed now. What can't be removed is left for a sweep.
    pub(crate) async fn remove_doomed(&self) {
        let doomed = std::mem::take(&mut *self.0.doomed.lock().unwrap_or_else(PoisonError::into_inner));
        for next in doomed {
            let removed = match &next {
                Doomed::Blob(path) => self.blobs().remove(path).await,
                Doomed::Tenant(tenant) => self.remove_unnamed(self.blobs().all(Some(*tenant)), None).await.map(|_| ()),
            };
            if let Err(error) = removed {
                tracing::warn!(?next, %error, "bytes that nothing names stay until the next sweep");
            }
        }
    }

    /// Removes what was written before this moment and no row names: what a crash left behind. Returns how many.
    ///
    /// # Errors
    /// The store or the database does not answer.
    pub(crate) async fn sweep(&self, before: DateTime<Utc>) -> Result<usize, Error> {
        let drafts = self.blobs().remove_drafts(before).await?;
        let unnamed = self.remove_unnamed(self.blobs().all(None), Some(before)).await?;
        if drafts + unnamed > 0 {
            tracing::info!(drafts, unnamed, "removed what interrupted uploads left behind");
        }
        Ok(drafts + unnamed)
    }

    async fn remove_unnamed(
        &self,
        found: futures_util::stream::BoxStream<'static, Result<Found, Error>>,
        before: Option<DateTime<Utc>>,
    ) -> Result<usize, Error> {
        let mut batches = found.chunks(BATCH);
        let mut removed = 0;
        while let Some(batch) = batches.next().await {
            let batch: Vec<Found> = batch.into_iter().collect::<Result<_, _>>()?;
            let old = batch.into_iter().filter(|found| before.is_none_or(|before| found.written < before));
            let named: Vec<_> = old.filter_map(|found| Some((Blobs::named(&found.path)?, found.path))).collect();
            let ids: Vec<Uuid> = named.iter().map(|((_, version), _)| version.uuid()).collect();
            let caller = Caller::platform("vault.sweep");
            let known = self.db().read(&caller, async |tx| store::versions::known(tx, &ids).await).await?;
            for (_, path) in named.iter().filter(|(name, _)| !known.contains(name)) {
                self.blobs().remove(path).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
