//! Requests under way to the origin: one for each answer, however many wait for it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use tokio::sync::watch;

use crate::{
    key::Key,
    purge::{Purge, PurgeMode},
    spool::Spool,
    stored::{Head, Stored},
    vary::Selection,
};

const SHARDS: usize = 16;
/// The most purges that one answer under way remembers; after that it is not stored.
const MOST_PURGES: usize = 256;

/// Which requests wait for one another: the same key, and the same values of the headers it is known to vary by.
pub(crate) type FlightKey = (Arc<Key>, Selection);

/// How far a flight is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The origin has not answered.
    Asking,
    /// The answer comes in, and others may read it.
    Coming(Arc<Coming>),
    /// The stored answer holds, or stands in for a failing origin.
    Settled(Arc<Stored>),
    /// The answer is for whoever asked only.
    Apart,
}

/// An answer that comes in.
#[derive(Debug)]
pub(crate) struct Coming {
    pub(crate) head: Arc<Head>,
    pub(crate) spool: Arc<Spool>,
}

/// One request under way.
#[derive(Debug)]
pub(crate) struct Flight {
    stage: watch::Sender<Stage>,
    purges: Mutex<Purges>,
}

/// Purges since the origin was asked: its answer may be older than they.
#[derive(Debug, Default)]
struct Purges {
    doomed: bool,
    by_tag: Vec<(Box<str>, PurgeMode)>,
    soft: bool,
}

impl Flight {
    /// What becomes of the answer: stored as it is, stored stale, or not.
    pub(crate) fn verdict(&self, head: &Head, now: SystemTime) -> bool {
        let purges = self.purges.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = |mode| purges.by_tag.iter().any(|(tag, by)| *by == mode && head.tags.contains(tag));
        if purges.doomed || hit(PurgeMode::Hard) {
            return false;
        }
        if purges.soft || hit(PurgeMode::Soft) {
            head.purge_softly(now);
        }
        true
    }

    fn purge(&self, key: &Key, purge: &Purge, mode: PurgeMode) {
        let mut purges = self.purges.lock().unwrap_or_else(PoisonError::into_inner);
        match purge.tags_in(key) {
            Some(tags) if purges.by_tag.len() + tags.len() <= MOST_PURGES => {
                purges.by_tag.extend(tags.iter().map(|tag| (tag.as_str().into(), mode)));
            }
            None if !purge.covers_key(key) => {}
            None if mode == PurgeMode::Soft => purges.soft = true,
            _ => purges.doomed = true,
        }
    }
}

/// All flights.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    /// Those that others may join.
    open: HashMap<FlightKey, Arc<Flight>>,
    /// All that may end in something stored.
    active: HashMap<u64, (Arc<Key>, Arc<Flight>)>,
}

/// What [`Flights::join`] gives.
pub(crate) enum Seat {
    Lead(Lead),
    Follow(watch::Receiver<Stage>),
}

impl Flights {
    pub(crate) fn new() -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self { shards, hasher: RandomState::new(), next: AtomicU64::new(0) })
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or_default() % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leads a new flight, or follows the one under way.
    pub(crate) fn join(self: &Arc<Self>, key: FlightKey) -> Seat {
        let mut shard = self.shard(&key.0);
        if let Some(flight) = shard.open.get(&key) {
            return Seat::Follow(flight.stage.subscribe());
        }
        let lead = self.lead(&mut shard, key);
        shard.open.insert(lead.key.clone(), Arc::clone(&lead.flight));
        Seat::Lead(lead)
    }

    /// Leads a flight that nobody follows.
    pub(crate) fn alone(self: &Arc<Self>, key: FlightKey) -> Lead {
        let mut shard = self.shard(&key.0);
        self.lead(&mut shard, key)
    }

    fn lead(self: &Arc<Self>, shard: &mut Shard, key: FlightKey) -> Lead {
        let flight = Arc::new(Flight { stage: watch::channel(Stage::Asking).0, purges: Mutex::default() });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        shard.active.insert(number, (Arc::clone(&key.0), Arc::clone(&flight)));
        Lead { flights: Arc::clone(self), key, flight, number }
    }

    /// Marks what is under way, so that an answer older than the purge is not stored after it, and lets nobody join
    /// it any more.
    pub(crate) fn purge(&self, purge: &Purge, mode: PurgeMode) {
        match purge {
            Purge::Key(key) => self.shard(key).purge(purge, mode),
            _ => self.shards.iter().for_each(|shard| {
                shard.lock().unwrap_or_else(PoisonError::into_inner).purge(purge, mode);
            }),
        }
    }

    /// Requests under way that may end in something stored.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).active.len()).sum()
    }
}

impl Shard {
    fn purge(&mut self, purge: &Purge, mode: PurgeMode) {
        let concerns = |key: &Key| purge.covers_key(key) || purge.tags_in(key).is_some();
        for (key, flight) in self.active.values().filter(|(key, _)| concerns(key)) {
            flight.purge(key, purge, mode);
        }
        self.open.retain(|(key, _), _| !concerns(key));
    }
}

/// The one that asks the origin. When it goes without a word, the channel closes and another takes its place.
#[derive(Debug)]
pub(crate) struct Lead {
    flights: Arc<Flights>,
    key: FlightKey,
    flight: Arc<Flight>,
    number: u64,
}

impl Lead {
    pub(crate) fn flight(&self) -> &Flight {
        &self.flight
    }

    pub(crate) fn key(&self) -> &Arc<Key> {
        &self.key.0
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.flight.stage.receiver_count() > 0
    }

    /// Tells those who wait, and lets later ones find the same until the flight closes.
    pub(crate) fn announce(&self, stage: Stage) {
        self.flight.stage.send_replace(stage);
    }

    /// Lets nobody else join. What was announced stays true for those who did.
    pub(crate) fn close(&self) {
        self.flights.shard(&self.key.0).close(self);
    }
}

impl Shard {
    fn close(&mut self, lead: &Lead) {
        if self.open.get(&lead.key).is_some_and(|flight| Arc::ptr_eq(flight, &lead.flight)) {
            self.open.remove(&lead.key);
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(&self.key.0);
        shard.close(self);
        shard.active.remove(&self.number);
    }
}
