//! What answers a handshake: a bounded cache, then this machine's snapshot, then the store, then a new order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use rustls::sign::CertifiedKey;
use tokio::sync::Semaphore;

use crate::{
    name::Name,
    on_demand::OnDemand,
    ports::{Clock, Sealer},
    sealing,
    settings::Settings,
    snapshot::Snapshot,
    store::{CertificateStore, SealedCertificate},
    tls_alpn,
};

/// Challenge certificates held.
const CHALLENGES: usize = 256;

/// What a [`Managed`] is made of.
pub struct ManagedParts {
    pub store: Arc<dyn CertificateStore>,
    pub sealer: Arc<dyn Sealer>,
    pub clock: Arc<dyn Clock>,
    pub snapshot: Arc<Snapshot>,
    /// Obtains what is wanted and not there; none: only what is held is served.
    pub on_demand: Option<OnDemand>,
    pub settings: Settings,
}

/// Managed certificates, ready for handshakes.
pub struct Managed {
    parts: ManagedParts,
    held: Cache<Name, Ready>,
    /// Names without a certificate, until when.
    unknown: Cache<Name, Instant>,
    challenges: Cache<(String, String), Arc<CertifiedKey>>,
    lookups: Semaphore,
}

#[derive(Clone)]
struct Ready {
    key: Arc<CertifiedKey>,
    not_after: DateTime<Utc>,
}

impl Managed {
    /// Nothing is read before it is asked for.
    pub fn new(parts: ManagedParts) -> Self {
        let settings = &parts.settings;
        Self {
            held: Cache::new(settings.cached.max(1)),
            unknown: Cache::new(settings.cached_unknown.max(1)),
            challenges: Cache::new(CHALLENGES),
            lookups: Semaphore::new(settings.lookups.max(1)),
            parts,
        }
    }

    /// The certificate for a host: its own, or the wildcard's above it. One that has expired is not served.
    pub async fn certificate(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let wildcard = name.covering_wildcard();
        if let Some(key) = self.in_memory(name) {
            return Some(key);
        }
        if let Some(key) = wildcard.as_ref().and_then(|wildcard| self.in_memory(wildcard)) {
            return Some(key);
        }
        if self.is_unknown(name) {
            return None;
        }
        let loaded = {
            let _permit = self.lookups.try_acquire().ok()?;
            self.load(name, wildcard.as_ref()).await
        };
        if loaded.is_some() {
            return loaded;
        }
        let key = self.on_demand(name).await;
        if key.is_none() {
            self.unknown.insert(name.clone(), Instant::now() + self.parts.settings.unknown_for);
        }
        key
    }

    /// The certificate of a TLS-ALPN-01 challenge that is set for a host.
    pub async fn challenge(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let _permit = self.lookups.try_acquire().ok()?;
        let asked = self.parts.store.tls_alpn_answer(name.as_str());
        let answer = tokio::time::timeout(self.timeout(), asked).await.ok()?.ok()??;
        let place = (name.as_str().to_owned(), answer);
        if let Some(held) = self.challenges.get(&place) {
            return Some(held);
        }
        let made = tls_alpn::certificate(&place.0, &place.1)?;
        self.challenges.insert(place, Arc::clone(&made));
        Some(made)
    }

    /// Forgets what is held in memory of a name: it has changed.
    pub fn forget(&self, name: &Name) {
        self.held.remove(name);
        self.unknown.remove(name);
    }

    fn timeout(&self) -> Duration {
        self.parts.settings.store_timeout
    }

    fn in_memory(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let ready = self.held.get(name)?;
        if ready.not_after > self.parts.clock.now() {
            return Some(ready.key);
        }
        self.held.remove(name);
        None
    }

    fn is_unknown(&self, name: &Name) -> bool {
        match self.unknown.get(name) {
            Some(until) if until > Instant::now() => true,
            Some(_) => {
                self.unknown.remove(name);
                false
            }
            None => false,
        }
    }

    /// From the snapshot, which is here, and then from the store, which may not be.
    async fn load(&self, name: &Name, wildcard: Option<&Name>) -> Option<Arc<CertifiedKey>> {
        let both = [Some(name), wildcard];
        for name in both.into_iter().flatten() {
            if let Some(key) = self.read_snapshot(name).await {
                return Some(key);
            }
        }
        for name in both.into_iter().flatten() {
            let asked = tokio::time::timeout(self.timeout(), self.parts.store.certificate(name)).await;
            match asked {
                Ok(Ok(Some(issued))) => {
                    if let Some(key) = issued.sealed.and_then(|sealed| self.opened(name, &sealed)) {
                        return Some(key);
                    }
                }
                Ok(Ok(None)) => {}
                // Only the snapshot answers now.
                Ok(Err(_)) | Err(_) => return None,
            }
        }
        None
    }

    async fn read_snapshot(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let (snapshot, asked) = (Arc::clone(&self.parts.snapshot), name.clone());
        match tokio::task::spawn_blocking(move || snapshot.read(&asked)).await.ok()? {
            Ok(sealed) => self.opened(name, &sealed?),
            Err(error) => {
                tracing::error!(%error, "a certificate can't be read from the snapshot");
                None
            }
        }
    }

    /// Opens a certificate and keeps it in memory, if it can be served.
    fn opened(&self, name: &Name, sealed: &SealedCertificate) -> Option<Arc<CertifiedKey>> {
        let opened = sealing::open_certificate(&*self.parts.sealer, name, sealed);
        let certified = opened.map_err(|error| error.to_string());
        let certified = certified.and_then(|bundle| bundle.certified().map_err(|error| error.to_string()));
        let (key, facts) = match certified {
            Ok(certified) => certified,
            Err(cause) => {
                tracing::error!(name = name.as_str(), cause, "a certificate that is held can't be used");
                return None;
            }
        };
        if !facts.serves(name, self.parts.clock.now()) {
            return None;
        }
        self.held.insert(name.clone(), Ready { key: Arc::clone(&key), not_after: facts.not_after });
        Some(key)
    }

    async fn on_demand(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let issued = self.parts.on_demand.as_ref()?.obtain(name).await?;
        self.opened(name, issued.sealed.as_ref()?)
    }
}
