//! Load shedding: what would only queue up is turned away at once, the least important first.
//!
//! The adaptive limit follows Netflix's Gradient2 (`concurrency-limits`): while answers take as long as they did over
//! the long run the limit grows by the square root of itself, when they take longer it shrinks in proportion.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{config::Shedding, error::UpstreamError, forwarding::Priority};

/// How much slower than over the long run an answer may be.
const TOLERANCE: f64 = 1.5;
/// How fast the limit follows.
const SMOOTHING: f64 = 0.2;
/// How much of the long run one answer makes up.
const LONG_RUN: f64 = 1.0 / 600.0;
/// When to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The requests of a pool, and how many there may be.
#[derive(Debug)]
pub(crate) struct Shedder {
    in_flight: AtomicU64,
    /// 0 = none.
    limit: AtomicU64,
    adaptive: Option<Mutex<Gradient>>,
}

#[derive(Debug)]
struct Gradient {
    limit: f64,
    min: f64,
    max: f64,
    long_run: Option<f64>,
}

/// A request that was let in; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Admission(Arc<Shedder>);

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Shedder {
    pub(crate) fn new(settings: Shedding) -> Arc<Self> {
        let (limit, adaptive) = match settings {
            Shedding::Off => (0, None),
            Shedding::Limit(limit) => (u64::from(limit), None),
            Shedding::Adaptive { min, max } => {
                let gradient =
                    Gradient { limit: f64::from(min), min: f64::from(min), max: f64::from(max), long_run: None };
                (u64::from(min), Some(Mutex::new(gradient)))
            }
        };
        Arc::new(Self { in_flight: AtomicU64::new(0), limit: AtomicU64::new(limit), adaptive })
    }

    /// Lets a request in, or says when to come back.
    pub(crate) fn admit(self: &Arc<Self>, priority: Priority) -> Result<Admission, UpstreamError> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let admission = Admission(Arc::clone(self));
        let limit = self.limit.load(Ordering::Relaxed);
        if limit > 0 && before * 100 >= limit * priority.percent() {
            return Err(UpstreamError::Shed { retry_after: RETRY_AFTER });
        }
        Ok(admission)
    }

    /// An answer began after that long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the limit came from a u32")]
    pub(crate) fn observe(&self, latency: Duration) {
        let Some(gradient) = &self.adaptive else { return };
        let in_flight = self.in_flight();
        let mut gradient = gradient.lock().unwrap_or_else(PoisonError::into_inner);
        gradient.observe(latency.as_secs_f64(), in_flight);
        self.limit.store(gradient.limit as u64, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// 0 = none.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }
}

impl Gradient {
    #[expect(clippy::cast_precision_loss, reason = "requests in flight fit 53 bits")]
    fn observe(&mut self, sample: f64, in_flight: u64) {
        let long_run = self.long_run.get_or_insert(sample);
        *long_run += (sample - *long_run) * LONG_RUN;
        // After an overload the long run is too long; it comes down faster.
        if *long_run > 2.0 * sample {
            *long_run *= 0.95;
        }
        // Who doesn't use half of the limit says nothing about it.
        if (in_flight as f64) < self.limit / 2.0 {
            return;
        }
        let gradient = (TOLERANCE * *long_run / sample.max(1e-9)).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + self.limit.sqrt();
        self.limit = (self.limit + (wanted - self.limit) * SMOOTHING).clamp(self.min, self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_are_turned_away_first() {
        let shedder = Shedder::new(Shedding::Limit(20));
        let fill = |priority| {
            let mut held = Vec::new();
            while let Ok(admission) = shedder.admit(priority) {
                held.push(admission);
            }
            held
        };

        let low = fill(Priority::Low);
        assert_eq!(low.len(), 15);
        let normal = fill(Priority::Normal);
        assert_eq!(normal.len(), 5);
        assert_eq!(fill(Priority::High).len(), 2);
        let critical = fill(Priority::Critical);
        assert_eq!(critical.len(), 5);
        drop((low, normal, critical));
        assert_eq!(shedder.in_flight(), 0);
    }

    #[test]
    fn the_adaptive_limit_falls_with_latency_and_grows_back() {
        let mut gradient = Gradient { limit: 50.0, min: 10.0, max: 200.0, long_run: None };
        (0..500).for_each(|_| gradient.observe(0.010, 100));
        assert!(gradient.limit > 150.0, "{gradient:?}");

        (0..100).for_each(|_| gradient.observe(0.200, 100));
        assert!(gradient.limit < 60.0, "{gradient:?}");

        (0..1000).for_each(|_| gradient.observe(0.010, 100));
        assert!(gradient.limit > 150.0, "{gradient:?}");
    }

    #[test]
    fn without_a_limit_everything_is_let_in() {
        let shedder = Shedder::new(Shedding::Off);
        let held: Vec<_> = (0..1000).map(|_| shedder.admit(Priority::Low).unwrap()).collect();
        assert_eq!(shedder.in_flight(), held.len() as u64);
    }
}
