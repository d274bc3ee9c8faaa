//! How busy a target is, and how fast.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::balance::Ewma;

#[derive(Debug)]
pub(crate) struct Load {
    born: Instant,
    in_flight: AtomicU32,
    /// Those whose answer has not begun.
    waiting: AtomicU32,
    /// When a wait ended last, or the first one began, in nanoseconds since birth.
    progress: AtomicU64,
    ewma: Mutex<Ewma>,
}

impl Load {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            in_flight: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            progress: AtomicU64::new(0),
            ewma: Mutex::default(),
        }
    }

    /// Counts one more, unless there are as many as may be.
    pub(super) fn enter(&self, max: u32) -> bool {
        let entered = self.in_flight.fetch_add(1, Ordering::AcqRel) < max;
        if !entered {
            self.leave();
        }
        entered
    }

    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(super) fn wait(&self, now: Instant) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            self.note_progress(now);
        }
    }

    pub(super) fn answered(&self, latency: Duration, now: Instant, failed: bool) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.note_progress(now);
        let mut ewma = self.ewma();
        if failed {
            ewma.observe_failure(latency, now);
        } else {
            ewma.observe(latency, now);
        }
    }

    pub(super) fn given_up(&self, since: Instant, now: Instant) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        let latency = now.saturating_duration_since(since);
        let mut ewma = self.ewma();
        if latency.as_secs_f64() > ewma.seconds().unwrap_or_default() {
            ewma.observe(latency, now);
        }
    }

    /// Seconds that a further request may take.
    pub(crate) fn expected(&self, now: Instant) -> f64 {
        let waits = self.waiting.load(Ordering::Acquire) > 0;
        let silent = if waits { self.since_birth(now).saturating_sub(self.progress()) } else { Duration::ZERO };
        self.ewma().expected(self.in_flight(), silent, now)
    }

    /// The average latency as last seen.
    pub(super) fn average(&self) -> Option<f64> {
        self.ewma().seconds()
    }

    fn progress(&self) -> Duration {
        Duration::from_nanos(self.progress.load(Ordering::Acquire))
    }

    fn note_progress(&self, now: Instant) {
        let nanos = u64::try_from(self.since_birth(now).as_nanos()).unwrap_or(u64::MAX);
        self.progress.store(nanos, Ordering::Release);
    }

    fn since_birth(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.born)
    }

    fn ewma(&self) -> MutexGuard<'_, Ewma> {
        self.ewma.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
