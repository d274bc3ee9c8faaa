//! One limit at work: GCRA over bounded memory, and what clients are told of it.

use std::{
    fmt::Write,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::HeaderValue;
use metrics::{Counter, Gauge, counter, gauge};

use super::{LimitFigures, Rate, Subject, bounded_store::BoundedStore};

/// The algorithm, by one clock or another.
pub(super) type Gcra<C> = RateLimiter<u64, BoundedStore, C, StateInformationMiddleware>;

/// A limit in force in this process.
pub(crate) struct Policy {
    pub(super) told: Arc<Told>,
    rate: Rate,
    limiter: Gcra<DefaultClock>,
}

/// A limit as clients and figures know it.
pub(crate) struct Told {
    pub(super) name: Arc<str>,
    burst: u32,
    interval: Duration,
    pub(super) described: HeaderValue,
    refused: Counter,
    /// The same, to be read.
    refusals: AtomicU64,
    clients: Gauge,
}

/// How a request stands against one limit that it was charged to.
#[derive(Clone)]
pub(crate) struct Left {
    pub(super) told: Arc<Told>,
    pub(super) requests: u32,
    /// Until it would be allowed; none if it is.
    pub(super) wait: Option<Duration>,
}

impl Told {
    /// None for a rate that can't be told.
    pub(super) fn new(name: &str, per_minute: NonZeroU32, burst: NonZeroU32) -> Option<Self> {
        let interval = interval(per_minute);
        let window = ceil_seconds(interval * burst.get()).max(1);
        let described = HeaderValue::from_str(&format!("\"{name}\";q={burst};w={window}")).ok()?;
        let refused = counter!("holdfast_edge_rate_limited_total", "policy" => name.to_owned());
        // So that the figure is there before the first refusal.
        refused.increment(0);
        let clients = gauge!("holdfast_edge_rate_limit_clients", "policy" => name.to_owned());
        Some(Self {
            name: name.into(),
            burst: burst.get(),
            interval,
            described,
            refused,
            refusals: AtomicU64::new(0),
            clients,
        })
    }

    pub(super) fn note_refusal(&self) {
        self.refused.increment(1);
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// Refusals since the start.
    pub(super) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Tells how many keys are remembered.
    pub(super) fn note_clients(&self, clients: usize) {
        self.clients.set(u32::try_from(clients).map_or(f64::INFINITY, f64::from));
    }
}

/// What one request takes to come back.
fn interval(per_minute: NonZeroU32) -> Duration {
    Duration::from_mins(1) / per_minute.get()
}

/// A steady rate a minute with a burst, for each of so many keys. None for a rate that is too high to be told apart.
pub(super) fn gcra<C: Clock>(
    (per_minute, burst): (NonZeroU32, NonZeroU32),
    max_entries: usize,
    clock: C,
) -> Option<Gcra<C>> {
    let quota = Quota::with_period(interval(per_minute))?.allow_burst(burst);
    Some(RateLimiter::new(quota, BoundedStore::new(max_entries), clock))
}

impl Policy {
    /// None for a rate of 0, which is no limit.
    pub(super) fn new(name: &str, rate: Rate, max_entries: usize) -> Option<Arc<Self>> {
        let per_minute = NonZeroU32::new(rate.per_minute)?;
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let told = Arc::new(Told::new(name, per_minute, burst)?);
        let limiter = gcra((per_minute, burst), max_entries, DefaultClock::default())?;
        Some(Arc::new(Self { told, rate, limiter }))
    }

    /// Takes so much from the key's quota, or nothing if there is less.
    pub(super) fn charge(&self, key: u64, cost: NonZeroU32) -> Left {
        let (requests, wait) = match self.limiter.check_key_n(&key, cost) {
            Ok(Ok(state)) => (state.remaining_burst_capacity(), None),
            Ok(Err(refused)) => (0, Some(refused.wait_time_from(self.limiter.clock().now()))),
            // Never: no cost is above its burst.
            Err(_) => (0, Some(self.told.interval * self.told.burst)),
        };
        Left { told: Arc::clone(&self.told), requests, wait }
    }

    /// How it stands, as a limit of everything.
    pub(super) fn figures(&self, by: Subject) -> LimitFigures {
        LimitFigures {
            name: Arc::clone(&self.told.name),
            everywhere: true,
            by: vec![by],
            per_minute: self.rate.per_minute,
            burst: self.rate.burst,
            cost: 1,
            dry_run: false,
            shared: false,
            refused: self.told.refusals(),
            would_refuse: 0,
            clients: self.entries(),
        }
    }

    /// How many keys are remembered.
    pub(super) fn entries(&self) -> usize {
        self.limiter.len()
    }

    pub(super) fn note_clients(&self) {
        self.told.note_clients(self.entries());
    }
}

impl Left {
    pub(super) fn write(&self, text: &mut BytesMut) {
        let separator = if text.is_empty() { "" } else { ", " };
        let missing = self.told.burst.saturating_sub(self.requests);
        let whole_again = ceil_seconds(self.told.interval * missing);
        let written = write!(text, "{separator}\"{}\";r={};t={whole_again}", self.told.name, self.requests);
        debug_assert!(written.is_ok(), "a buffer that grows takes everything");
    }
}

pub(super) fn ceil_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
