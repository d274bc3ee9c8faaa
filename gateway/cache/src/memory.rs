//! Stored answers in memory, bounded by bytes.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use http::HeaderMap;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync::Cache as Quick};

use crate::{
    disk::Disk,
    key::Key,
    purge::{Purge, PurgeMode},
    stored::Stored,
    vary::Selection,
};

/// Locks that part writers of one key.
const STRIPES: usize = 64;
/// The most answers of one target that differ by `Vary`.
const MOST_VARIANTS: usize = 32;
/// What an entry takes beside its answers.
const ENTRY: u64 = 256;

/// The answers of one target, newest first.
#[derive(Debug, Default)]
pub(crate) struct Resource {
    pub(crate) variants: Vec<Arc<Stored>>,
    /// Until when nobody waits for another's answer here: the last one could not be shared.
    pub(crate) apart_until: Option<SystemTime>,
}

impl Resource {
    /// The newest answer that a request selects (RFC 9111, section 4.1).
    pub(crate) fn select(&self, request: &HeaderMap) -> Option<&Arc<Stored>> {
        self.variants.iter().find(|stored| stored.head.selection.matches(request))
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Arc<Key>, Arc<Resource>> for ByBytes {
    fn weight(&self, key: &Arc<Key>, resource: &Arc<Resource>) -> u64 {
        let answers: u64 = resource.variants.iter().map(|stored| stored.size() as u64).sum();
        answers + key.target.len() as u64 + ENTRY
    }
}

/// Tells what went out for what came in, and what was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Evicted;

impl<K, V> Lifecycle<K, V> for Evicted {
    type RequestState = Vec<(K, V)>;

    fn begin_request(&self) -> Self::RequestState {
        Vec::new()
    }

    fn on_evict(&self, gone: &mut Self::RequestState, key: K, value: V) {
        gone.push((key, value));
    }
}

type Entries = Quick<Arc<Key>, Arc<Resource>, ByBytes, RandomState, Evicted>;

/// The memory of the cache. What is used often stays (S3-FIFO, by `quick_cache`).
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Entries,
    stripes: Box<[Mutex<()>]>,
    hasher: RandomState,
    /// The most bytes that the answers of one target take.
    most_per_target: u64,
    /// Where answers go for which there is no room.
    disk: Option<Arc<Disk>>,
}

impl Memory {
    /// Room for so many bytes, of which one object may take `most_object`.
    pub(crate) fn new(bytes: u64, most_object: u64, disk: Option<Arc<Disk>>) -> Self {
        let per_shard = most_object.saturating_mul(4).max(1);
        let shards = usize::try_from(bytes / per_shard).unwrap_or(usize::MAX).clamp(1, 64);
        let shards = 1 << shards.ilog2();
        let options = OptionsBuilder::new()
            .weight_capacity(bytes)
            .estimated_items_capacity(usize::try_from(bytes / 8192).unwrap_or(usize::MAX).clamp(64, 1 << 20))
            .shards(shards)
            .build();
        let hasher = RandomState::new();
        let entries = match options {
            Ok(options) => Quick::with_options(options, ByBytes, hasher.clone(), Evicted),
            Err(_) => Quick::with(1024, bytes, ByBytes, hasher.clone(), Evicted),
        };
        let stripes = (0..STRIPES).map(|_| Mutex::default()).collect();
        Self { entries, stripes, hasher, most_per_target: bytes / shards as u64 / 2, disk }
    }

    pub(crate) fn get(&self, key: &Arc<Key>) -> Option<Arc<Resource>> {
        self.entries.get(key)
    }

    /// Puts an answer in the place of those that it replaces. `false`: it does not fit.
    pub(crate) fn put(&self, key: &Arc<Key>, stored: Arc<Stored>) -> bool {
        let received = stored.head.freshness.received();
        if stored.size() as u64 > self.most_per_target {
            self.outdate(key, &stored, None);
            self.update(key, |resource| resource.variants.retain(|old| old.head.selection != stored.head.selection));
            return false;
        }
        self.outdate(key, &stored, Some(received));
        self.update(key, |resource| {
            let newer = |old: &Arc<Stored>| old.head.freshness.received() > stored.head.freshness.received();
            let same = |old: &&Arc<Stored>| old.head.selection == stored.head.selection;
            // A slow answer does not take the place of one that was fetched after it.
            if resource.variants.iter().find(same).is_some_and(newer) {
                return;
            }
            resource.variants.retain(|old| old.head.selection != stored.head.selection);
            resource.variants.insert(0, stored);
            resource.variants.truncate(MOST_VARIANTS);
            let mut room = self.most_per_target;
            resource.variants.retain(|stored| {
                let size = stored.size() as u64;
                let fits = size <= room;
                room = room.saturating_sub(size);
                fits
            });
            resource.apart_until = None;
        });
        true
    }

    /// Lets requests for this target go by themselves until then.
    pub(crate) fn set_apart(&self, key: &Arc<Key>, until: SystemTime) {
        self.update(key, |resource| resource.apart_until = Some(until));
    }

    /// Takes one answer out, if it is still there.
    pub(crate) fn take_out(&self, key: &Arc<Key>, stored: &Arc<Stored>) {
        self.update(key, |resource| resource.variants.retain(|old| !Arc::ptr_eq(old, stored)));
        self.outdate(key, stored, None);
    }

    /// Has the disk forget what it holds in this answer's place.
    fn outdate(&self, key: &Key, stored: &Stored, but: Option<SystemTime>) {
        if let Some(disk) = &self.disk {
            disk.outdate(key, &stored.head.selection, but);
        }
    }

    /// All answers, with their keys.
    pub(crate) fn all(&self) -> Vec<(Arc<Key>, Arc<Stored>)> {
        let each = |(key, resource): (Arc<Key>, Arc<Resource>)| {
            resource.variants.iter().map(|stored| (Arc::clone(&key), Arc::clone(stored))).collect::<Vec<_>>()
        };
        self.entries.iter().flat_map(each).collect()
    }

    /// Whether an answer is there that was selected so.
    pub(crate) fn has(&self, key: &Arc<Key>, selection: &Selection) -> bool {
        let found = self.entries.peek(key);
        found.is_some_and(|found| found.variants.iter().any(|stored| stored.head.selection == *selection))
    }

    fn update(&self, key: &Arc<Key>, change: impl FnOnce(&mut Resource)) {
        let stripe = usize::try_from(self.hasher.hash_one(key) >> 40).unwrap_or_default() % STRIPES;
        let _writer = self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner);
        let mut resource = match self.entries.peek(key) {
            Some(old) => Resource { variants: old.variants.clone(), apart_until: old.apart_until },
            None => Resource::default(),
        };
        change(&mut resource);
        if resource.variants.is_empty() && resource.apart_until.is_none() {
            self.entries.remove(key);
            return;
        }
        let watch = self.disk.as_ref().map(|disk| disk.watch());
        let gone = self.entries.insert_with_lifecycle(Arc::clone(key), Arc::new(resource));
        if let Some((disk, watch)) = self.disk.as_ref().zip(watch) {
            // What was replaced is told too.
            for (gone, resource) in gone.iter().filter(|(gone, _)| gone != key) {
                resource.variants.iter().for_each(|stored| disk.keep(gone, stored, watch));
            }
        }
    }

    /// Purges, and says how many answers that were.
    pub(crate) fn purge(&self, purge: &Purge, mode: PurgeMode, now: SystemTime) -> usize {
        if let Purge::Key(key) = purge {
            return self.purge_key(key, purge, mode, now);
        }
        let entries: Vec<_> = self.entries.iter().map(|(key, _)| key).collect();
        let covered = |key: &&Arc<Key>| {
            let resource = self.entries.peek(*key);
            resource.is_some_and(|found| found.variants.iter().any(|stored| purge.covers(key, &stored.head)))
        };
        entries.iter().filter(covered).map(|key| self.purge_key(key, purge, mode, now)).sum()
    }

    fn purge_key(&self, key: &Arc<Key>, purge: &Purge, mode: PurgeMode, now: SystemTime) -> usize {
        let mut count = 0;
        self.update(key, |resource| {
            resource.variants.retain(|stored| {
                let covered = purge.covers(key, &stored.head);
                count += usize::from(covered);
                if covered && mode == PurgeMode::Soft {
                    stored.head.purge_softly(now);
                }
                !(covered && mode == PurgeMode::Hard)
            });
        });
        count
    }

    /// The bytes that are held, and the targets.
    pub(crate) fn size(&self) -> (u64, usize) {
        (self.entries.weight(), self.entries.len())
    }
}
