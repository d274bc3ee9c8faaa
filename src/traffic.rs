//! What the last minutes looked like: requests, errors and latency in slots of five seconds, for the console's charts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// The length of a slot, in seconds.
pub const SLOT_SECONDS: u64 = 5;
/// How many slots are kept: five minutes, and the one that is being filled.
const SLOTS: usize = 61;
/// Upper bounds of the latency buckets, in microseconds; the last bucket is open.
const BOUNDS: [u64; 20] = [
    50, 100, 200, 350, 500, 750, 1_000, 1_500, 2_500, 5_000, 7_500, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000,
    1_000_000, 5_000_000, 30_000_000,
];

/// A ring of slots; recording takes no lock.
#[derive(Debug)]
pub struct Traffic {
    start: Instant,
    slots: [Slot; SLOTS],
}

#[derive(Debug, Default)]
struct Slot {
    /// Which slot since the start is counted here, plus one; zero: none yet.
    number: AtomicU64,
    errors: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

/// One slot as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When the slot began.
    pub at: DateTime<Utc>,
    /// Requests answered in it.
    pub requests: u64,
    /// Those of them that ended in a 5xx.
    pub errors: u64,
    /// The median latency in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile in milliseconds.
    pub p99_ms: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { start: Instant::now(), slots: std::array::from_fn(|_| Slot::default()) }
    }
}

impl Traffic {
    /// Notes one answered request.
    pub fn record(&self, latency: Duration, server_error: bool) {
        let number = self.current();
        let slot = &self.slots[index(number)];
        let held = slot.number.load(Ordering::Acquire);
        if held != number + 1
            && slot.number.compare_exchange(held, number + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            slot.clear();
        }
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        slot.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        slot.errors.fetch_add(u64::from(server_error), Ordering::Relaxed);
    }

    /// The finished slots, the oldest first; idle ones count zero.
    pub fn samples(&self, now: DateTime<Utc>) -> Vec<Sample> {
        let current = self.current();
        let first = current.saturating_sub(SLOTS as u64 - 1);
        (first..current).map(|number| self.sample(number, current, now)).collect()
    }

    /// How long this process has been up.
    pub fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    fn current(&self) -> u64 {
        self.start.elapsed().as_secs() / SLOT_SECONDS
    }

    fn sample(&self, number: u64, current: u64, now: DateTime<Utc>) -> Sample {
        let slot = &self.slots[index(number)];
        let counted = slot.number.load(Ordering::Acquire) == number + 1;
        let counts: Vec<u64> =
            slot.buckets.iter().map(|b| if counted { b.load(Ordering::Relaxed) } else { 0 }).collect();
        let age = (current - number) * SLOT_SECONDS + self.start.elapsed().as_secs() % SLOT_SECONDS;
        Sample {
            at: now - TimeDelta::seconds(i64::try_from(age).unwrap_or(0)),
            requests: counts.iter().sum(),
            errors: if counted { slot.errors.load(Ordering::Relaxed) } else { 0 },
            p50_ms: percentile(&counts, 50),
            p99_ms: percentile(&counts, 99),
        }
    }
}

impl Slot {
    fn clear(&self) {
        self.errors.store(0, Ordering::Relaxed);
        self.buckets.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number % SLOTS as u64).unwrap_or(0)
}

/// The upper bound of the bucket in which the percentile lies, in milliseconds.
fn percentile(counts: &[u64], percent: u64) -> f64 {
    let total: u64 = counts.iter().sum();
    let rank = (total * percent).div_ceil(100);
    let mut seen = 0;
    for (bucket, count) in counts.iter().enumerate() {
        seen += count;
        if total > 0 && seen >= rank {
            let micros = BOUNDS.get(bucket).copied().unwrap_or(BOUNDS[BOUNDS.len() - 1]);
            return Duration::from_micros(micros).as_secs_f64() * 1000.0;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_bounds_of_their_buckets() {
        let mut counts = vec![0; BOUNDS.len() + 1];
        counts[0] = 98;
        counts[9] = 2;

        assert!((percentile(&counts, 50) - 0.05).abs() < 1e-9);
        assert!((percentile(&counts, 99) - 5.0).abs() < 1e-9);
        assert!(percentile(&[0; 3], 50).abs() < 1e-9);
    }
}
