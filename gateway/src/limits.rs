//! Rate limits by GCRA, and the fields that tell clients about them (draft-ietf-httpapi-ratelimit-headers).

use std::{fmt::Write, net::IpAddr, num::NonZeroU32, time::Duration};

use bytes::BytesMut;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    bounded_store::BoundedStore,
    config::{Rate, RateLimits},
    telemetry,
};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

type Limiter = RateLimiter<u64, BoundedStore, DefaultClock, StateInformationMiddleware>;

/// The limits of the public listeners.
pub(crate) struct Limits {
    address: Option<Policy>,
    key: Option<Policy>,
    both: HeaderValue,
}

struct Policy {
    name: &'static str,
    limiter: Limiter,
    burst: u32,
    interval: Duration,
    described: HeaderValue,
}

/// How one request stands against the limits; becomes fields of its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    address: Option<Left>,
    key: Option<Left>,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    requests: u32,
    /// Until one more is allowed; none if one is now.
    wait: Option<Duration>,
}

impl Standing {
    pub(crate) fn refused(&self) -> bool {
        self.address.iter().chain(&self.key).any(|left| left.wait.is_some())
    }
}

impl Limits {
    pub(crate) fn new(config: &RateLimits) -> Self {
        let address = Policy::new("address", config.address, config.max_entries);
        let key = Policy::new("key", config.key, config.max_entries);
        let described: Vec<_> =
            [&address, &key].into_iter().flatten().filter_map(|policy| policy.described.to_str().ok()).collect();
        let both = HeaderValue::from_str(&described.join(", ")).unwrap_or(HeaderValue::from_static(""));
        Self { address, key, both }
    }

    /// Tells how many clients each policy remembers.
    pub(crate) fn note_clients(&self) {
        for policy in [&self.address, &self.key].into_iter().flatten() {
            telemetry::rate_limit_clients(policy.name, policy.limiter.len());
        }
    }

    /// Takes one request from the address's quota.
    pub(crate) fn charge_address(&self, address: IpAddr) -> Standing {
        Standing { address: self.address.as_ref().map(|policy| policy.charge(address_key(address))), key: None }
    }

    /// Takes one request from the credential's quota as well.
    pub(crate) fn charge_key(&self, standing: &mut Standing, key: u64) {
        standing.key = self.key.as_ref().map(|policy| policy.charge(key));
    }

    /// Writes `RateLimit-Policy`, `RateLimit` and, if refused, `Retry-After`.
    pub(crate) fn describe(&self, standing: &Standing, headers: &mut HeaderMap) {
        let pairs = [(&self.address, &standing.address), (&self.key, &standing.key)];
        let mut text = BytesMut::new();
        let mut described = None;
        let mut wait = Duration::ZERO;
        for (policy, left) in pairs {
            let (Some(policy), Some(left)) = (policy, left) else { continue };
            described = Some(if described.is_none() { &policy.described } else { &self.both });
            text.reserve(48);
            policy.write_standing(left, &mut text);
            wait = wait.max(left.wait.unwrap_or_default());
        }
        let Some(described) = described else { return };
        headers.insert(POLICY, described.clone());
        if let Ok(value) = HeaderValue::from_maybe_shared(text.freeze()) {
            headers.insert(LIMIT, value);
        }
        if standing.refused() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ceil_seconds(wait).max(1)));
        }
    }
}

impl Policy {
    fn new(name: &'static str, rate: Rate, max_entries: usize) -> Option<Self> {
        let per_minute = NonZeroU32::new(rate.per_minute)?;
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let interval = Duration::from_mins(1) / per_minute.get();
        let quota = Quota::with_period(interval)?.allow_burst(burst);
        let limiter: Limiter = RateLimiter::new(quota, BoundedStore::new(max_entries), DefaultClock::default());
        let window = ceil_seconds(interval * burst.get()).max(1);
        let described = HeaderValue::from_str(&format!("\"{name}\";q={burst};w={window}")).ok()?;
        telemetry::rate_limited(name, 0);
        Some(Self { name, limiter, burst: burst.get(), interval, described })
    }

    fn charge(&self, key: u64) -> Left {
        match self.limiter.check_key(&key) {
            Ok(state) => Left { requests: state.remaining_burst_capacity(), wait: None },
            Err(refused) => {
                telemetry::rate_limited(self.name, 1);
                let wait = refused.wait_time_from(self.limiter.clock().now());
                Left { requests: 0, wait: Some(wait) }
            }
        }
    }

    fn write_standing(&self, left: &Left, text: &mut BytesMut) {
        let separator = if text.is_empty() { "" } else { ", " };
        let missing = self.burst.saturating_sub(left.requests);
        let whole_again = ceil_seconds(self.interval * missing);
        let written = write!(text, "{separator}\"{}\";r={};t={whole_again}", self.name, left.requests);
        debug_assert!(written.is_ok(), "a buffer that grows takes everything");
    }
}

/// One client: an IPv4 address, or a /64 of IPv6, which is what one customer of a provider gets.
pub(crate) fn address_key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or_default(),
    }
}

fn ceil_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_minute: u32, burst: u32) -> Limits {
        let rate = Rate { per_minute, burst };
        Limits::new(&RateLimits { address: rate, key: rate, max_entries: 1000 })
    }

    #[test]
    fn the_fields_tell_both_policies_and_when_to_come_back() {
        let limits = limits(60, 2);
        let mut standing = Standing::default();
        for _ in 0..3 {
            standing = limits.charge_address([127, 0, 0, 1].into());
        }
        limits.charge_key(&mut standing, 7);
        let mut headers = HeaderMap::new();

        limits.describe(&standing, &mut headers);

        assert!(standing.refused());
        assert_eq!(headers["ratelimit-policy"], r#""address";q=2;w=2, "key";q=2;w=2"#);
        assert_eq!(headers["ratelimit"], r#""address";r=0;t=2, "key";r=1;t=1"#);
        assert_eq!(headers["retry-after"], "1");
    }

    #[test]
    fn a_limit_of_zero_is_off_and_tells_nothing() {
        let limits = limits(0, 0);
        let mut headers = HeaderMap::new();

        let standing = limits.charge_address([127, 0, 0, 1].into());
        limits.describe(&standing, &mut headers);

        assert!(!standing.refused());
        assert!(headers.is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_quota() {
        let key = |text: &str| address_key(text.parse().unwrap());

        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
