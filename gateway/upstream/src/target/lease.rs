//! A request's place in a target's counts.

use std::{fmt, sync::Arc};

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::Target;
use crate::shed::Admission;

/// Counts as a request in flight until it is dropped, wherever it ends up: with the answer's body, or with an
/// upgraded connection.
pub(crate) struct Lease {
    pub(crate) target: Arc<Target>,
    slot: Option<OwnedSemaphorePermit>,
    admission: Option<Admission>,
}

impl Lease {
    /// None if the target has as many requests as it may.
    pub(crate) fn new(target: &Arc<Target>) -> Option<Self> {
        if !target.load.enter(target.max_requests()) {
            return None;
        }
        target.figures.in_flight.increment(1.0);
        Some(Self { target: Arc::clone(target), slot: None, admission: None })
    }

    /// Keeps the right to a connection.
    pub(super) fn hold(&mut self, slot: OwnedSemaphorePermit) {
        self.slot = Some(slot);
    }

    /// Keeps the request's place in the pool.
    pub(crate) fn admit(&mut self, admission: Admission) {
        self.admission = Some(admission);
    }

    /// The wait for an answer begins.
    pub(crate) fn wait(&self, now: Instant) -> Wait {
        self.target.load.wait(now);
        Wait { target: Arc::clone(&self.target), since: now, settled: false }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.target.load.leave();
        self.target.figures.in_flight.decrement(1.0);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.target.key.place.authority).finish_non_exhaustive()
    }
}

/// A request that waits for its answer.
pub(crate) struct Wait {
    target: Arc<Target>,
    since: Instant,
    settled: bool,
}

impl Wait {
    /// The answer came now, and was one or a failure.
    pub(crate) fn end(mut self, now: Instant, failed: bool) -> std::time::Duration {
        self.settled = true;
        let latency = now.saturating_duration_since(self.since);
        self.target.load.answered(latency, now, failed);
        latency
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if !self.settled {
            // Given up: it would have taken that long at least.
            self.target.load.given_up(self.since, Instant::now());
        }
    }
}
