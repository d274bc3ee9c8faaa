//! One limit at work: GCRA over bounded memory, and what clients are told of it.

use std::{fmt::Write, num::NonZeroU32, sync::Arc, time::Duration};

use bytes::BytesMut;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::HeaderValue;
use metrics::{Counter, Gauge, counter, gauge};

use super::{Rate, bounded_store::BoundedStore};

type Limiter = RateLimiter<u64, BoundedStore, DefaultClock, StateInformationMiddleware>;

/// A limit in force.
pub(crate) struct Policy {
    name: Arc<str>,
    limiter: Limiter,
    burst: u32,
    interval: Duration,
    pub(super) described: HeaderValue,
    refused: Counter,
    clients: Gauge,
}

/// How a request stands against one limit that it was charged to.
#[derive(Clone)]
pub(crate) struct Left {
    pub(super) policy: Arc<Policy>,
    requests: u32,
    /// Until it would be allowed; none if it is.
    pub(super) wait: Option<Duration>,
}

impl Policy {
    /// None for a rate of 0, which is no limit.
    pub(super) fn new(name: &str, rate: Rate, max_entries: usize) -> Option<Arc<Self>> {
        let per_minute = NonZeroU32::new(rate.per_minute)?;
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let interval = Duration::from_mins(1) / per_minute.get();
        let quota = Quota::with_period(interval)?.allow_burst(burst);
        let limiter: Limiter = RateLimiter::new(quota, BoundedStore::new(max_entries), DefaultClock::default());
        let window = ceil_seconds(interval * burst.get()).max(1);
        let described = HeaderValue::from_str(&format!("\"{name}\";q={burst};w={window}")).ok()?;
        let refused = counter!("holdfast_edge_rate_limited_total", "policy" => name.to_owned());
        // So that the figure is there before the first refusal.
        refused.increment(0);
        let clients = gauge!("holdfast_edge_rate_limit_clients", "policy" => name.to_owned());
        let name = name.into();
        Some(Arc::new(Self { name, limiter, burst: burst.get(), interval, described, refused, clients }))
    }

    /// Takes so much from the key's quota, or nothing if there is less.
    pub(super) fn charge(self: &Arc<Self>, key: u64, cost: NonZeroU32) -> Left {
        let outcome = self.limiter.check_key_n(&key, cost);
        let (requests, wait) = match outcome {
            Ok(Ok(state)) => (state.remaining_burst_capacity(), None),
            Ok(Err(refused)) => (0, Some(refused.wait_time_from(self.limiter.clock().now()))),
            // Never: no cost is above its burst.
            Err(_) => (0, Some(self.interval * self.burst)),
        };
        Left { policy: Arc::clone(self), requests, wait }
    }

    pub(super) fn note_refusal(&self) {
        self.refused.increment(1);
    }

    /// Tells how many keys are remembered.
    pub(super) fn note_clients(&self) {
        self.clients.set(u32::try_from(self.limiter.len()).map_or(f64::INFINITY, f64::from));
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.limiter.len()
    }
}

impl Left {
    pub(super) fn write(&self, text: &mut BytesMut) {
        let separator = if text.is_empty() { "" } else { ", " };
        let missing = self.policy.burst.saturating_sub(self.requests);
        let whole_again = ceil_seconds(self.policy.interval * missing);
        let written = write!(text, "{separator}\"{}\";r={};t={whole_again}", self.policy.name, self.requests);
        debug_assert!(written.is_ok(), "a buffer that grows takes everything");
    }
}

pub(super) fn ceil_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
