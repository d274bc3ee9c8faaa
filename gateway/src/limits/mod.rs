//! Rate limits by GCRA, and the fields that tell clients about them (draft-ietf-httpapi-ratelimit-headers).
//!
//! A request is charged to each limit that it meets: by address and by credential before anything is read of it, by the
//! limits that its route names, by account and tenant once these are known. What it was charged to one stays, even if
//! another refuses it.

mod bounded_store;
mod config;
mod figures;
mod meter;
mod named;
mod policy;
mod shared;
mod simulation;

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};

pub(crate) use config::check;
pub use config::{NamedLimit, Rate, RateLimits, Subject};
pub use figures::LimitFigures;
pub use meter::Meter;
pub(crate) use named::{Counted, Named, NamedLimits};
use policy::{Left, Policy, ceil_seconds};
pub use shared::{Allowances, Claim, Grant, KeyName, Settled};
pub use simulation::{Client, Hypothesis, Simulated};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The limits of the public listeners.
pub(crate) struct Limits {
    address: Option<Arc<Policy>>,
    key: Option<Arc<Policy>>,
    both: HeaderValue,
}

/// How one request stands against the limits; becomes fields of its answer.
#[derive(Clone, Default)]
pub(crate) struct Standing {
    address: Option<Left>,
    key: Option<Left>,
    more: Charges,
}

/// What a request was charged by those behind the edge's first limits. In the extensions of an answer, it is told to the
/// client.
#[derive(Clone, Default)]
pub struct Charges {
    left: Vec<Left>,
    /// Limits in a dry run that would have refused.
    would_refuse: Vec<Arc<str>>,
}

/// Which limits refused a request, and which in a dry run would have.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) refused: Vec<Arc<str>>,
    pub(crate) would_refuse: Vec<Arc<str>>,
}

impl Charges {
    /// Whether one of the limits is used up.
    pub fn refused(&self) -> bool {
        self.left.iter().any(|left| left.wait.is_some())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.would_refuse.is_empty()
    }

    /// Adds others.
    pub(crate) fn join(&mut self, others: Self) {
        self.left.extend(others.left);
        self.would_refuse.extend(others.would_refuse);
    }

    fn note(&self) {
        self.left.iter().filter(|left| left.wait.is_some()).for_each(|left| left.told.note_refusal());
    }
}

impl Standing {
    pub(crate) fn refused(&self) -> bool {
        self.all().any(|left| left.wait.is_some())
    }

    /// Adds what the application behind the edge has charged.
    pub(crate) fn join(&mut self, charges: Charges) {
        self.more.join(charges);
    }

    /// What came of it.
    pub(crate) fn outcome(&self) -> Outcome {
        let refused = self.all().filter(|left| left.wait.is_some()).map(|left| Arc::clone(&left.told.name));
        Outcome { refused: refused.collect(), would_refuse: self.more.would_refuse.clone() }
    }

    fn all(&self) -> impl Iterator<Item = &Left> {
        self.address.iter().chain(&self.key).chain(&self.more.left)
    }
}

impl Limits {
    pub(crate) fn new(config: &RateLimits) -> Self {
        let address = Policy::new("address", config.address, config.max_entries);
        let key = Policy::new("key", config.key, config.max_entries);
        let described: Vec<_> =
            [&address, &key].into_iter().flatten().filter_map(|policy| policy.told.described.to_str().ok()).collect();
        let both = HeaderValue::from_str(&described.join(", ")).unwrap_or(HeaderValue::from_static(""));
        Self { address, key, both }
    }

    /// Tells how many clients each policy remembers.
    pub(crate) fn note_clients(&self) {
        [&self.address, &self.key].into_iter().flatten().for_each(|policy| policy.note_clients());
    }

    /// How they stand.
    pub(crate) fn figures(&self) -> Vec<LimitFigures> {
        let pairs = [(&self.address, Subject::Address), (&self.key, Subject::Key)];
        pairs.into_iter().filter_map(|(policy, by)| Some(policy.as_ref()?.figures(by))).collect()
    }

    /// Takes one request from the address's quota.
    pub(crate) fn charge_address(&self, address: IpAddr) -> Standing {
        Standing { address: charge(self.address.as_ref(), address_key(address)), ..Standing::default() }
    }

    /// Takes one request from the credential's quota as well.
    pub(crate) fn charge_key(&self, standing: &mut Standing, key: u64) {
        standing.key = charge(self.key.as_ref(), key);
    }

    /// Writes `RateLimit-Policy`, `RateLimit` and, if refused, `Retry-After`.
    pub(crate) fn describe(&self, standing: &Standing, headers: &mut HeaderMap) {
        let mut text = BytesMut::new();
        let mut wait = Duration::ZERO;
        for left in standing.all() {
            text.reserve(48);
            left.write(&mut text);
            wait = wait.max(left.wait.unwrap_or_default());
        }
        let Some(described) = self.described(standing) else { return };
        headers.insert(POLICY, described);
        if let Ok(value) = HeaderValue::from_maybe_shared(text.freeze()) {
            headers.insert(LIMIT, value);
        }
        if standing.refused() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ceil_seconds(wait).max(1)));
        }
    }

    fn described(&self, standing: &Standing) -> Option<HeaderValue> {
        if standing.more.left.is_empty() {
            return match (&standing.address, &standing.key) {
                (Some(_), Some(_)) => Some(self.both.clone()),
                (Some(left), None) | (None, Some(left)) => Some(left.told.described.clone()),
                (None, None) => None,
            };
        }
        let mut text = BytesMut::new();
        for left in standing.all() {
            text.extend_from_slice(if text.is_empty() { b"" } else { b", " });
            text.put_slice(left.told.described.as_bytes());
        }
        HeaderValue::from_maybe_shared(text.freeze()).ok()
    }
}

fn charge(policy: Option<&Arc<Policy>>, key: u64) -> Option<Left> {
    let left = policy?.charge(key, NonZeroU32::MIN);
    if left.wait.is_some() {
        left.told.note_refusal();
    }
    Some(left)
}

/// One client: an IPv4 address, or a /64 of IPv6, which is what one customer of a provider gets.
pub(crate) fn address_key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_minute: u32, burst: u32) -> Limits {
        let rate = Rate { per_minute, burst };
        let off = Rate { per_minute: 0, burst: 0 };
        Limits::new(&RateLimits { address: rate, key: rate, account: off, tenant: off, max_entries: 1000 })
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
