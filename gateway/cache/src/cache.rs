//! The cache as a whole: its settings, its rooms, and purging.

use std::{sync::Arc, time::Duration};

use http::Uri;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{
    budget::Budget,
    clock::Clock,
    flights::Flights,
    key::Key,
    memory::Memory,
    policy::Policy,
    purge::{Purge, PurgeMode},
    scope::Scope,
    stats::{Counters, Stats},
    tags,
};

/// The bounds of the cache. No defaults here: they stand in the process's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// What stored answers may take in memory, in bytes.
    pub memory_bytes: u64,
    /// The largest body that any route may store, at most an eighth of [`Config::memory_bytes`].
    pub max_object_bytes: u64,
    /// What answers under way may hold while they are kept; beyond it they pass through unstored.
    pub in_flight_bytes: u64,
    /// Background revalidations at once; beyond it the stale answer is served without one.
    pub max_revalidations: usize,
    /// How long a background revalidation waits for the origin's header.
    pub revalidate_timeout: Duration,
    /// The longest silence inside an origin's body, and the longest wait for the slowest reader of one that is too
    /// large to keep.
    pub body_timeout: Duration,
}

/// A shared HTTP cache. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) memory: Memory,
    pub(crate) flights: Arc<Flights>,
    pub(crate) budget: Budget,
    pub(crate) counters: Counters,
    pub(crate) revalidations: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
}

impl Cache {
    /// An empty cache.
    pub fn new(config: Config, clock: Clock) -> Self {
        let inner = Inner {
            memory: Memory::new(config.memory_bytes, config.max_object_bytes),
            flights: Flights::new(),
            budget: Budget::new(config.in_flight_bytes),
            counters: Counters::default(),
            revalidations: Arc::new(Semaphore::new(config.max_revalidations)),
            tasks: TaskTracker::new(),
            clock,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Purges what one target answers, under the route's policy (which says what of the query counts), in all its
    /// variants. Returns how many stored answers that were.
    pub async fn purge_target(&self, scope: &Scope, policy: &Policy, target: &Uri, mode: PurgeMode) -> usize {
        let key = Key::new(scope, policy, target);
        self.inner.purge(Purge::Key(Arc::new(key)), mode).await
    }

    /// Purges all whose path and query begin with `prefix`: on one host of a tenant, or on all of them.
    pub async fn purge_prefix(&self, tenant: Uuid, host: Option<&str>, prefix: &str, mode: PurgeMode) -> usize {
        let (host, prefix) = (host.map(str::to_owned), prefix.to_owned());
        self.inner.purge(Purge::Prefix { tenant, host, prefix }, mode).await
    }

    /// Purges all answers of a tenant that carry this name in `Surrogate-Key`.
    pub async fn purge_tag(&self, tenant: Uuid, tag: &str, mode: PurgeMode) -> usize {
        self.inner.purge(Purge::Tag { tenant, tag: tags::surrogate(tag) }, mode).await
    }

    /// Purges all answers of a tenant, as when it is suspended or deleted.
    pub async fn purge_tenant(&self, tenant: Uuid, mode: PurgeMode) -> usize {
        self.inner.purge(Purge::Tenant(tenant), mode).await
    }

    /// Counts and sizes.
    pub fn stats(&self) -> Stats {
        let (memory_bytes, targets) = self.inner.memory.size();
        Stats {
            memory_bytes,
            memory_targets: targets as u64,
            in_flight: self.inner.flights.len() as u64,
            ..self.inner.counters.snapshot()
        }
    }

    /// Waits until answers that are being stored and background revalidations have ended, at shutdown: call it once
    /// requests have stopped. Each is bounded by the timeouts of [`Config`], which are those of silence.
    pub async fn close(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    /// Marks what is under way first, then sweeps: an answer fetched before the purge is caught by one or the other.
    pub(crate) async fn purge(&self, purge: Purge, mode: PurgeMode) -> usize {
        self.flights.purge(&purge, mode);
        let count = self.memory.purge(&purge, mode, self.clock.now());
        self.counters.purged.add(count);
        count
    }
}
