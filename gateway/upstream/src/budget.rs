//! The retry budget (Finagle: `RetryBudget`; Linkerd: `retryBudget`): when everything fails, retries must not become
//! the load that keeps it failing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Ten seconds, as in Finagle.
const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_secs(1);

/// Counts requests and retries of the last ten seconds.
#[derive(Debug)]
pub(crate) struct Budget {
    percent: u64,
    floor: u64,
    start: Instant,
    window: Mutex<[Slot; SLOTS]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    second: u64,
    requests: u64,
    retries: u64,
}

impl Budget {
    /// Retries may be `percent` of the requests, and `floor` in the window in any case.
    pub(crate) fn new(percent: u32, floor: u32) -> Self {
        let window = Mutex::new([Slot::default(); SLOTS]);
        Self { percent: percent.into(), floor: floor.into(), start: Instant::now(), window }
    }

    /// A request came.
    pub(crate) fn deposit(&self, now: Instant) {
        self.with_slot(now, |slots, current, _| slots[current].requests += 1);
    }

    /// Takes one retry, if there is one left.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        self.with_slot(now, |slots, current, second| {
            let recent = |slot: &&Slot| second - slot.second < SLOTS as u64;
            let (requests, retries) = slots
                .iter()
                .filter(recent)
                .fold((0, 0), |(requests, retries), slot| (requests + slot.requests, retries + slot.retries));
            let allowed = retries < self.floor.max(requests * self.percent / 100);
            slots[current].retries += u64::from(allowed);
            allowed
        })
    }

    fn with_slot<T>(&self, now: Instant, act: impl FnOnce(&mut [Slot; SLOTS], usize, u64) -> T) -> T {
        let mut slots = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        // Clocks of two tasks may be read in one order and used in the other.
        let latest = slots.iter().map(|slot| slot.second).max().unwrap_or_default();
        let second = (now.saturating_duration_since(self.start).as_secs() / SLOT.as_secs()).max(latest);
        let current = usize::try_from(second).unwrap_or_default() % SLOTS;
        if slots[current].second != second {
            slots[current] = Slot { second, ..Slot::default() };
        }
        act(&mut slots, current, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_share_of_recent_requests_above_a_floor() {
        let budget = Budget::new(20, 3);
        let start = Instant::now();
        assert_eq!((0..10).filter(|_| budget.withdraw(start)).count(), 3);

        let later = start + Duration::from_secs(5);
        (0..100).for_each(|_| budget.deposit(later));
        assert_eq!((0..100).filter(|_| budget.withdraw(later)).count(), 17);

        let over = start + Duration::from_secs(20);
        assert_eq!((0..100).filter(|_| budget.withdraw(over)).count(), 3);
    }
}
