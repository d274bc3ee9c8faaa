//! What the cache has done, for metrics and the console.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counts since the start, and what is held now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Answered from the cache, fresh.
    pub hits: u64,
    /// Answered from the cache, stale: while revalidating, for a failing origin, or as the client allowed.
    pub stale_hits: u64,
    /// Answered from the cache after the origin confirmed it by a 304.
    pub revalidated: u64,
    /// Fetched from the origin by a request that could have been a hit.
    pub misses: u64,
    /// Answered by another request's fetch.
    pub collapsed: u64,
    /// Went by: the method, the route or the request leave no use for the cache.
    pub bypassed: u64,
    /// Answers stored.
    pub stored: u64,
    /// Answers that were purged or invalidated.
    pub purged: u64,
    /// Background revalidations left out since too many ran.
    pub skipped_revalidations: u64,
    /// Bytes and targets in memory now.
    pub memory_bytes: u64,
    pub memory_targets: u64,
    /// Bytes that files count on the disk now, and targets.
    pub disk_bytes: u64,
    pub disk_targets: u64,
    /// Answers that came back from the disk, and files that were broken.
    pub recalled: u64,
    pub broken: u64,
    /// Requests under way to origins now.
    pub in_flight: u64,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) stale_hits: Counter,
    pub(crate) revalidated: Counter,
    pub(crate) misses: Counter,
    pub(crate) collapsed: Counter,
    pub(crate) bypassed: Counter,
    pub(crate) stored: Counter,
    pub(crate) purged: Counter,
    pub(crate) skipped_revalidations: Counter,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            hits: self.hits.get(),
            stale_hits: self.stale_hits.get(),
            revalidated: self.revalidated.get(),
            misses: self.misses.get(),
            collapsed: self.collapsed.get(),
            bypassed: self.bypassed.get(),
            stored: self.stored.get(),
            purged: self.purged.get(),
            skipped_revalidations: self.skipped_revalidations.get(),
            ..Stats::default()
        }
    }
}
