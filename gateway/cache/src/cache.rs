//! The cache as a whole: its settings, its rooms, and purging.

use std::{sync::Arc, time::Duration};

use http::Uri;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;
use uuid::Uuid;

use crate::{
    budget::Budget,
    clock::Clock,
    disk::{Disk, DiskConfig},
    flights::Flights,
    key::{Key, normal_target},
    memory::Memory,
    policy::Policy,
    purge::{Purge, PurgeMode},
    scope::{Scheme, Scope},
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
    /// Where answers are kept beside memory, if anywhere.
    pub disk: Option<DiskConfig>,
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
    pub(crate) disk: Option<Arc<Disk>>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) budget: Budget,
    pub(crate) counters: Counters,
    pub(crate) revalidations: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
}

impl Cache {
    /// A cache with nothing in memory. With a disk it must be called on a tokio runtime; what an earlier process left
    /// there is used from [`Cache::note_purge`] on.
    pub fn new(config: Config, clock: Clock) -> Self {
        let disk = config.disk.clone().map(|disk| Disk::start(disk, clock.clone()));
        let inner = Inner {
            memory: Memory::new(config.memory_bytes, config.max_object_bytes, disk.clone()),
            disk,
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

    /// Purges what a URL of a tenant answers, by whichever route and in all its variants. `ignored` are the parameters
    /// that routes leave out of their keys (see [`Policy::ignored_query`]), a list for each of them. What is no URL
    /// of HTTP covers nothing.
    pub async fn purge_url(&self, tenant: Uuid, url: &str, ignored: &[&[String]], mode: PurgeMode) -> usize {
        let Ok(url) = Url::parse(url) else { return 0 };
        let scheme = if url.scheme() == "http" { Scheme::Http } else { Scheme::Https };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scope = Scope::new(tenant, scheme, &format!("{}{port}", url.host_str().unwrap_or_default()));
        let spelled = |ignored: &[String]| normal_target(url.path(), url.query(), ignored);
        let mut targets: Vec<String> = ignored.iter().map(|ignored| spelled(ignored)).collect();
        targets.push(spelled(&[]));
        targets.sort_unstable();
        targets.dedup();
        self.inner.purge(Purge::Targets { tenant, scheme, host: scope.host().to_owned(), targets }, mode).await
    }

    /// Purges all answers of a tenant that carry one of these names in `Surrogate-Key` or `Cache-Tag`.
    pub async fn purge_tags(&self, tenant: Uuid, tags: &[String], mode: PurgeMode) -> usize {
        let tags = tags.iter().map(|tag| tags::surrogate(tag)).collect();
        self.inner.purge(Purge::Tags { tenant, tags }, mode).await
    }

    /// Purges all answers of a tenant, as when it is suspended or deleted.
    pub async fn purge_tenant(&self, tenant: Uuid, mode: PurgeMode) -> usize {
        self.inner.purge(Purge::Tenant(tenant), mode).await
    }

    /// Waits until the folder of the disk is open. Returns what [`Cache::note_purge`] noted there last, -1 if it never
    /// did. Without a disk it never returns.
    pub async fn opened(&self) -> i64 {
        match &self.inner.disk {
            Some(disk) => disk.opened().await,
            None => std::future::pending().await,
        }
    }

    /// Notes beside the files on disk that all purges up to this one were done, by whatever number the caller gives
    /// them. From the first time on, what an earlier process left is used.
    pub async fn note_purge(&self, number: i64) {
        if let Some(disk) = &self.inner.disk {
            disk.note(number).await;
        }
    }

    /// Counts and sizes.
    pub fn stats(&self) -> Stats {
        let disk = self.inner.disk.as_ref();
        if let Some(disk) = disk {
            disk.try_again();
        }
        let (disk_bytes, disk_targets) = disk.map(|disk| disk.size()).unwrap_or_default();
        let (recalled, broken) = disk.map(|disk| disk.counts()).unwrap_or_default();
        let (memory_bytes, targets) = self.inner.memory.size();
        Stats {
            memory_bytes,
            memory_targets: targets as u64,
            disk_bytes,
            disk_targets: disk_targets as u64,
            recalled,
            broken,
            in_flight: self.inner.flights.len() as u64,
            ..self.inner.counters.snapshot()
        }
    }

    /// Waits until answers that are being stored and background revalidations have ended, and writes what is in memory
    /// to the disk where there is one, at shutdown: call it once
    /// requests have stopped. Each is bounded by the timeouts of [`Config`], which are those of silence.
    pub async fn close(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        if let Some(disk) = &self.inner.disk {
            Arc::clone(disk).close(&self.inner.memory).await;
        }
    }
}

impl Inner {
    /// Marks what is under way first, then sweeps: an answer fetched before the purge is caught by one or the other.
    pub(crate) async fn purge(&self, purge: Purge, mode: PurgeMode) -> usize {
        let now = self.clock.now();
        let _purging = self.disk.as_ref().map(|disk| disk.begin_purge());
        self.flights.purge(&purge, mode);
        let mut count = 0;
        if let Some(disk) = &self.disk {
            let purged = disk.purge(&purge, mode, now).await;
            count += purged.iter().filter(|file| !self.memory.has(&file.key, &file.selection)).count();
        }
        count += self.memory.purge(&purge, mode, now);
        self.counters.purged.add(count);
        count
    }
}
