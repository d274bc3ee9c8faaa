//! What lies on the disk, bounded by bytes.

use std::{
    hash::RandomState,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::SystemTime,
};

use quick_cache::{OptionsBuilder, Weighter, sync::Cache as Quick};

use super::{
    folder::{self, KeyName},
    format::{self, Known},
};
use crate::{key::Key, memory::Evicted, purge::Purge, stored::Stored, vary::Selection};

/// What a file counts at least, so that what is remembered of files is bounded too.
const LEAST: u64 = 16 * 1024;
/// The most files of one key.
const MOST_VARIANTS: usize = 32;

/// One answer on the disk.
#[derive(Debug)]
pub(crate) struct OnDisk {
    pub(crate) key: Arc<Key>,
    pub(crate) key_name: KeyName,
    pub(crate) selection: Selection,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) received: SystemTime,
    pub(crate) bytes: u64,
    /// The file's name.
    pub(crate) name: String,
    pub(crate) standing: Mutex<Standing>,
    /// Since when it is stale by a purge, in microseconds since 1970; 0 if it isn't.
    pub(crate) stale: AtomicU64,
    /// It left the index; its file goes soon.
    dropped: AtomicBool,
}

/// Whether the file is there. Whoever changes it, and the file with it, holds its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Coming,
    There,
    Gone,
}

impl OnDisk {
    /// An answer that is to be written.
    pub(crate) fn coming(key: &Arc<Key>, stored: &Stored, number: u64) -> Self {
        let key_name = folder::name_of(key);
        Self {
            key: Arc::clone(key),
            key_name,
            selection: stored.head.selection.clone(),
            tags: stored.head.tags.clone(),
            received: stored.head.freshness.received(),
            bytes: stored.size() as u64,
            name: folder::file_name(key_name, number),
            standing: Mutex::new(Standing::Coming),
            stale: AtomicU64::new(format::micros(stored.head.purged())),
            dropped: AtomicBool::new(false),
        }
    }

    /// An answer of an earlier process; none if its file has the name of another key.
    pub(crate) fn found(name: String, known: Known) -> Option<Self> {
        let key_name = folder::name_of(&known.key);
        folder::is_of(&name, key_name).then(|| Self {
            key_name,
            key: known.key,
            selection: known.selection,
            tags: known.tags,
            received: known.freshness.received(),
            bytes: known.bytes,
            name,
            standing: Mutex::new(Standing::There),
            stale: AtomicU64::new(known.stale),
            dropped: AtomicBool::new(false),
        })
    }

    pub(crate) fn is_there(&self) -> bool {
        let standing = *self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing == Standing::There && !self.dropped.load(Ordering::Acquire)
    }

    /// When it was softly purged.
    pub(crate) fn purged(&self) -> Option<SystemTime> {
        let stale = self.stale.load(Ordering::Acquire);
        (stale > 0).then(|| format::time(stale))
    }
}

type Files = Arc<Vec<Arc<OnDisk>>>;

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<KeyName, Files> for ByBytes {
    fn weight(&self, _: &KeyName, files: &Files) -> u64 {
        files.iter().map(|file| file.bytes.max(LEAST)).sum()
    }
}

/// All files. What is used often stays.
#[derive(Debug)]
pub(crate) struct Index {
    entries: Quick<KeyName, Files, ByBytes, RandomState, Evicted>,
    /// One changes at a time; nobody waits for the disk meanwhile.
    changing: Mutex<()>,
}

impl Index {
    pub(crate) fn new(bytes: u64) -> Self {
        let files = usize::try_from(bytes / LEAST).unwrap_or(usize::MAX).clamp(64, 1 << 22);
        let options = OptionsBuilder::new().weight_capacity(bytes).estimated_items_capacity(files).shards(1).build();
        let hasher = RandomState::new();
        let entries = match options {
            Ok(options) => Quick::with_options(options, ByBytes, hasher, Evicted),
            Err(_) => Quick::with(files, bytes, ByBytes, hasher, Evicted),
        };
        Self { entries, changing: Mutex::default() }
    }

    /// The file that a request selects.
    pub(crate) fn select(&self, key: KeyName, matches: impl Fn(&OnDisk) -> bool) -> Option<Arc<OnDisk>> {
        self.entries.get(&key)?.iter().find(|file| matches(file)).cloned()
    }

    /// Whether this very answer is there, or a newer one.
    pub(crate) fn has(&self, key: KeyName, selection: &Selection, received: SystemTime) -> bool {
        let files = self.entries.peek(&key);
        let same = |file: &Arc<OnDisk>| file.selection == *selection && file.received >= received;
        files.is_some_and(|files| files.iter().any(same))
    }

    /// Adds a file. Returns those that go for it, itself among them if it has no place.
    pub(crate) fn add(&self, file: &Arc<OnDisk>) -> Vec<Arc<OnDisk>> {
        self.change(file.key_name, |files| {
            if files.iter().any(|old| old.name == file.name) {
                return Vec::new();
            }
            let same = |old: &Arc<OnDisk>| old.selection == file.selection;
            if files.iter().find(|old| same(old)).is_some_and(|old| old.received > file.received) {
                return vec![Arc::clone(file)];
            }
            let mut gone: Vec<_> = files.extract_if(.., |old| same(old)).collect();
            files.insert(0, Arc::clone(file));
            gone.extend(files.drain(files.len().min(MOST_VARIANTS)..));
            gone
        })
    }

    /// Takes files of a key out, and returns them.
    pub(crate) fn take_out(&self, key: KeyName, which: impl Fn(&OnDisk) -> bool) -> Vec<Arc<OnDisk>> {
        if self.entries.peek(&key).is_none() {
            return Vec::new();
        }
        self.change(key, |files| files.extract_if(.., |file| which(file)).collect())
    }

    fn change(&self, key: KeyName, change: impl FnOnce(&mut Vec<Arc<OnDisk>>) -> Vec<Arc<OnDisk>>) -> Vec<Arc<OnDisk>> {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = self.entries.peek(&key).map(|files| files.to_vec()).unwrap_or_default();
        let mut gone = change(&mut files);
        if files.is_empty() {
            self.entries.remove(&key);
        } else {
            let out = self.entries.insert_with_lifecycle(key, Arc::new(files));
            // What was replaced is told too, and what was too large to come in.
            let is_in = self.entries.peek(&key).is_some();
            let out = out.iter().filter(|(other, _)| *other != key || !is_in);
            let out: Vec<_> = out.flat_map(|(_, files)| files.iter().cloned()).collect();
            gone.extend(out);
        }
        gone.iter().for_each(|file| file.dropped.store(true, Ordering::Release));
        gone
    }

    /// All that a purge covers.
    pub(crate) fn covered(&self, purge: &Purge) -> Vec<Arc<OnDisk>> {
        let covers = |file: &&Arc<OnDisk>| purge.covers_tagged(&file.key, &file.tags);
        if let Purge::Key(key) = purge {
            let files = self.entries.peek(&folder::name_of(key)).unwrap_or_default();
            return files.iter().filter(covers).cloned().collect();
        }
        self.entries.iter().flat_map(|(_, files)| files.iter().filter(covers).cloned().collect::<Vec<_>>()).collect()
    }

    /// The bytes that files count, and the keys.
    pub(crate) fn size(&self) -> (u64, usize) {
        (self.entries.weight(), self.entries.len())
    }
}
