//! The figures of upstreams, by the `metrics` facade, labelled by pool and target.
//!
//! The handles are made once a target: so a recorder must be installed before the pools are.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// One target's.
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) in_flight: Gauge,
    /// Connections made.
    pub(crate) connections: Counter,
    latency: Histogram,
    good: Counter,
    bad: Counter,
    retries: Counter,
    ejections: Counter,
    available: Gauge,
    open: Gauge,
}

/// The same for the status, which needs no recorder.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    good: AtomicU64,
    bad: AtomicU64,
    retries: AtomicU64,
    ejections: AtomicU64,
}

impl Counts {
    pub(crate) fn requests(&self) -> u64 {
        self.good.load(Ordering::Relaxed) + self.bad.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.bad.load(Ordering::Relaxed)
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn ejections(&self) -> u64 {
        self.ejections.load(Ordering::Relaxed)
    }
}

impl Figures {
    pub(crate) fn new(pool: &str, target: &str) -> Self {
        let labels = [("pool", pool.to_owned()), ("target", target.to_owned())];
        let outcome = |outcome: &'static str| {
            let (pool, target) = (pool.to_owned(), target.to_owned());
            counter!("holdfast_upstream_requests_total", "pool" => pool, "target" => target, "outcome" => outcome)
        };
        Self {
            counts: Counts::default(),
            in_flight: gauge!("holdfast_upstream_in_flight", &labels),
            connections: counter!("holdfast_upstream_connections_total", &labels),
            latency: histogram!("holdfast_upstream_response_head_seconds", &labels),
            good: outcome("good"),
            bad: outcome("bad"),
            retries: counter!("holdfast_upstream_retries_total", &labels),
            ejections: counter!("holdfast_upstream_ejections_total", &labels),
            available: gauge!("holdfast_upstream_available", &labels),
            open: gauge!("holdfast_upstream_connections_open", &labels),
        }
    }

    pub(crate) fn succeeded(&self, latency: Duration) {
        self.counts.good.fetch_add(1, Ordering::Relaxed);
        self.good.increment(1);
        self.latency.record(latency);
    }

    pub(crate) fn failed(&self) {
        self.counts.bad.fetch_add(1, Ordering::Relaxed);
        self.bad.increment(1);
    }

    /// A request came here because it failed elsewhere.
    pub(crate) fn retried(&self) {
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        self.retries.increment(1);
    }

    pub(crate) fn ejected(&self) {
        self.counts.ejections.fetch_add(1, Ordering::Relaxed);
        self.ejections.increment(1);
    }

    pub(crate) fn available(&self, available: bool) {
        self.available.set(f64::from(u8::from(available)));
    }

    pub(crate) fn open(&self, connections: usize) {
        self.open.set(u32::try_from(connections).map_or(f64::INFINITY, f64::from));
    }
}

/// A request of a pool that got no answer, by the code it was told.
pub(crate) fn refused(pool: &str, code: &'static str) {
    counter!("holdfast_upstream_refused_total", "pool" => pool.to_owned(), "reason" => code).increment(1);
}
