//! Rate-limit states in bounded memory, however many keys a client invents.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};

const SHARDS: usize = 32;

/// A [`StateStore`] that, when full, forgets the quarter of its keys that are nearest to a full quota.
///
/// A state is the time at which its key would have its whole quota again, so the smallest are those whose loss costs
/// least: most of them have expired and equal a key never seen.
#[derive(Debug)]
pub(crate) struct BoundedStore {
    shards: Box<[Mutex<HashMap<u64, u64>>]>,
    hasher: RandomState,
    per_shard: usize,
}

impl BoundedStore {
    pub(crate) fn new(max_entries: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new(), per_shard: (max_entries / SHARDS).max(4) }
    }
}

impl ShrinkableKeyedStateStore<u64> for BoundedStore {
    /// Nothing to do: it bounds itself.
    fn retain_recent(&self, _: Nanos) {}

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl StateStore for BoundedStore {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or_default() % SHARDS;
        let mut shard = self.shards[index].lock().unwrap_or_else(PoisonError::into_inner);
        let before = shard.get(key).copied();
        let (outcome, after) = decide(before.map(Nanos::from))?;
        if before.is_none() && shard.len() >= self.per_shard {
            forget_quarter(&mut shard);
        }
        shard.insert(*key, after.as_u64());
        Ok(outcome)
    }
}

fn forget_quarter(shard: &mut HashMap<u64, u64>) {
    let mut times: Vec<u64> = shard.values().copied().collect();
    let quarter = times.len() / 4;
    let (_, bound, _) = times.select_nth_unstable(quarter);
    let bound = *bound;
    shard.retain(|_, time| *time > bound);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &BoundedStore, key: u64, time: u64) {
        let put: Result<(), ()> = store.measure_and_replace(&key, |_| Ok(((), Nanos::from(time))));
        put.unwrap();
    }

    fn get(store: &BoundedStore, key: u64) -> Option<Nanos> {
        let seen = store.measure_and_replace(&key, Err::<((), Nanos), _>);
        seen.unwrap_err()
    }

    #[test]
    fn a_flood_of_keys_stays_within_the_bound_and_busy_ones_are_kept() {
        let store = BoundedStore::new(2_000);
        put(&store, u64::MAX, u64::MAX);

        for key in 0..100_000 {
            put(&store, key, 1000 + key);
        }

        assert!(store.len() <= 2_000, "{}", store.len());
        assert!(get(&store, u64::MAX).is_some());
        assert!(get(&store, 0).is_none());
    }
}
