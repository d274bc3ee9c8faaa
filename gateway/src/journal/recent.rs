//! The last requests, in a ring of fixed size. Noting one takes a number and, for a moment, the lock of one place.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::record::Record;

pub(crate) struct Recent {
    places: Box<[Mutex<Option<Arc<Record>>>]>,
    first: u64,
    next: AtomicU64,
}

/// What lies at a number's place.
#[derive(Debug)]
pub(crate) enum Place {
    There(Arc<Record>),
    /// Its number was taken a moment ago.
    Soon,
    /// A later one lies there.
    Gone,
}

impl Recent {
    /// Numbers begin at `first`.
    pub(crate) fn new(capacity: usize, first: u64) -> Self {
        Self { places: (0..capacity).map(|_| Mutex::default()).collect(), first, next: AtomicU64::new(first) }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.places.len()
    }

    /// Remembers what is made of the next number, in place of the oldest.
    pub(crate) fn note(&self, make: impl FnOnce(u64) -> Record) -> Arc<Record> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(make(number));
        let Some(mut place) = self.place(number) else { return record };
        // Who took a number long ago and comes late does not push out a later one.
        let old = match &*place {
            Some(held) if held.number > number => None,
            _ => place.replace(Arc::clone(&record)),
        };
        drop(place);
        drop(old);
        record
    }

    /// The numbers that may still be there.
    pub(crate) fn numbers(&self) -> Range<u64> {
        let next = self.next.load(Ordering::Acquire);
        next.saturating_sub(self.places.len() as u64).max(self.first)..next
    }

    pub(crate) fn at(&self, number: u64) -> Place {
        let Some(place) = self.place(number) else { return Place::Gone };
        match &*place {
            Some(held) if held.number == number => Place::There(Arc::clone(held)),
            Some(held) if held.number > number => Place::Gone,
            _ => Place::Soon,
        }
    }

    pub(crate) fn between(
        &self,
        above: Option<u64>,
        below: Option<u64>,
        descending: bool,
    ) -> impl Iterator<Item = Arc<Record>> + '_ {
        let all = self.numbers();
        let (from, to) =
            (all.start.max(above.map_or(0, |above| above.saturating_add(1))), below.unwrap_or(all.end).min(all.end));
        let count = to.saturating_sub(from);
        (0..count).filter_map(move |step| {
            let number = if descending { to - 1 - step } else { from + step };
            match self.at(number) {
                Place::There(record) => Some(record),
                Place::Soon | Place::Gone => None,
            }
        })
    }

    fn place(&self, number: u64) -> Option<MutexGuard<'_, Option<Arc<Record>>>> {
        let index = usize::try_from(number.checked_rem(self.places.len() as u64)?).ok()?;
        Some(self.places.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{collections::HashSet, sync::Barrier, thread};

    use super::*;
    use crate::journal::record::tests_record;

    fn numbers(recent: &Recent, descending: bool) -> Vec<u64> {
        recent.between(None, None, descending).map(|record| record.number).collect()
    }

    #[test]
    fn the_last_ones_are_there_in_both_orders_and_between_two_numbers() {
        let recent = Recent::new(4, 100);
        assert!(numbers(&recent, true).is_empty());

        (0..10).for_each(|_| drop(recent.note(tests_record)));

        assert_eq!(numbers(&recent, true), [109, 108, 107, 106]);
        assert_eq!(numbers(&recent, false), [106, 107, 108, 109]);
        let between: Vec<_> = recent.between(Some(106), Some(109), true).map(|record| record.number).collect();
        assert_eq!(between, [108, 107]);
        assert!(recent.between(Some(200), Some(3), true).next().is_none());
        assert!(matches!(recent.at(105), Place::Gone) && matches!(recent.at(110), Place::Soon));
    }

    #[test]
    fn a_ring_of_nothing_remembers_nothing() {
        let recent = Recent::new(0, 1);

        assert_eq!(recent.note(tests_record).number, 1);
        assert!(numbers(&recent, true).is_empty());
    }

    #[test]
    fn of_64_that_note_at_once_the_last_are_kept_each_once_and_memory_stays() {
        let recent = Recent::new(1000, 0);
        let gate = Barrier::new(65);

        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    gate.wait();
                    (0..500).for_each(|_| drop(recent.note(tests_record)));
                });
            }
            gate.wait();
            for _ in 0..200 {
                let seen = numbers(&recent, false);
                assert!(seen.is_sorted() && seen.len() <= 1000, "each once, in order, while they come");
            }
        });

        let kept: HashSet<u64> = numbers(&recent, true).into_iter().collect();
        assert_eq!(kept, (31_000..32_000).collect());
        assert_eq!(recent.places.iter().filter(|place| place.lock().unwrap().is_some()).count(), 1000);
    }
}
