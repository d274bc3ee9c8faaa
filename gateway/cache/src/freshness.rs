//! How long an answer is fresh, and what may be done with it after (RFC 9111, section 4.2; RFC 5861; RFC 8246).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{
    date,
    directives::{Fields, MOST_SECONDS, RequestDirectives, ResponseDirectives},
    policy::Policy,
};

/// Statuses that may be cached without a word about it (RFC 9110, section 15.1), but 206, which we don't store.
const HEURISTIC: [u16; 11] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
/// An age that no lifetime reaches.
const FOREVER: Duration = Duration::from_secs(1 << 40);

/// The times of a stored answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the directives")]
pub(crate) struct Freshness {
    /// When the answer came.
    received: SystemTime,
    /// How old it was then (RFC 9111, section 4.2.3).
    initial_age: Duration,
    pub(crate) lifetime: Duration,
    stale_while_revalidate: Duration,
    stale_if_error: Duration,
    /// Never used stale.
    strict: bool,
    /// Never used without asking the origin.
    no_cache: bool,
    immutable: bool,
    /// Nothing was said; the lifetime is ours.
    pub(crate) guessed: bool,
}

/// What may be done with a stored answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    Fresh,
    /// Stale, and the client said that it takes it so.
    Stale,
    /// Stale, and may be served while the origin is asked in the background.
    WhileRevalidating,
    /// The origin must be asked first.
    Validate,
}

impl Freshness {
    /// Reads the times of an answer to a request sent at `asked`, that came at `received`.
    pub(crate) fn of(
        policy: &Policy,
        directives: &ResponseDirectives,
        is_targeted: bool,
        status: StatusCode,
        headers: &HeaderMap,
        (asked, received): (SystemTime, SystemTime),
    ) -> Self {
        let said = explicit(directives, is_targeted, headers, received);
        let lifetime = said.unwrap_or_else(|| guess(policy, directives, status, headers, received));
        let strict = directives.must_revalidate || directives.proxy_revalidate;
        // `s-maxage` alone forbids stale use too (RFC 9111, section 5.2.2.10), unless the origin allows it by name.
        let quiet = directives.s_maxage.is_some();
        let extra = |said: Option<u64>, ours: Duration| match said {
            _ if strict => Duration::ZERO,
            Some(seconds) => Duration::from_secs(seconds),
            None if quiet => Duration::ZERO,
            None => ours,
        };
        Self {
            received,
            initial_age: initial_age(headers, asked, received),
            lifetime,
            stale_while_revalidate: extra(directives.stale_while_revalidate, policy.stale_while_revalidate),
            stale_if_error: extra(directives.stale_if_error, policy.stale_if_error),
            strict: strict || quiet,
            no_cache: directives.no_cache == Fields::All,
            immutable: directives.immutable,
            guessed: said.is_none(),
        }
    }

    /// How old the answer is (RFC 9111, section 4.2.3).
    pub(crate) fn age(&self, now: SystemTime) -> Duration {
        self.initial_age.saturating_add(date::since(now, self.received))
    }

    /// When it came, or was last confirmed.
    pub(crate) fn received(&self) -> SystemTime {
        self.received
    }

    /// Seconds of freshness left; below zero when stale. For `Cache-Status`.
    pub(crate) fn ttl(&self, now: SystemTime) -> i64 {
        let whole = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        whole(self.lifetime).saturating_sub(whole(self.age(now)))
    }

    /// How long the answer has been stale, at least since it was purged softly; `None` while it is fresh.
    pub(crate) fn staleness(&self, now: SystemTime, purged: Option<SystemTime>) -> Option<Duration> {
        let by_age = self.age(now).checked_sub(self.lifetime);
        let by_purge = purged.map(|purged| date::since(now, purged));
        by_age.max(by_purge)
    }

    /// Whether it is of use at all without a validator: it will be fresh, or served stale.
    pub(crate) fn is_usable(&self, now: SystemTime) -> bool {
        let stale_use = self.stale_while_revalidate.max(self.stale_if_error);
        !self.no_cache && (self.lifetime + stale_use) > self.age(now)
    }

    /// Whether others may have it while it comes in: fresh, and need not be confirmed for each.
    pub(crate) fn is_shareable(&self, now: SystemTime) -> bool {
        !self.no_cache && self.staleness(now, None).is_none()
    }

    /// What a request may do with it (RFC 9111, section 4; request directives of section 5.2.1).
    pub(crate) fn reuse(&self, request: &RequestDirectives, now: SystemTime, purged: Option<SystemTime>) -> Reuse {
        // A reload of what never changes asks in vain (RFC 8246, section 2.1); a forced one does not.
        let max_age = request.max_age.filter(|seconds| !(self.immutable && *seconds == 0));
        if self.no_cache || request.no_cache {
            return Reuse::Validate;
        }
        let age = self.age(now);
        if max_age.is_some_and(|seconds| seconds == 0 || age > Duration::from_secs(seconds)) {
            return Reuse::Validate;
        }
        let Some(staleness) = self.staleness(now, purged) else {
            let left = self.lifetime.saturating_sub(age);
            let enough = request.min_fresh.is_none_or(|seconds| left >= Duration::from_secs(seconds));
            return if enough { Reuse::Fresh } else { Reuse::Validate };
        };
        if request.min_fresh.is_some() {
            return Reuse::Validate;
        }
        if !self.strict && request.max_stale.is_some_and(|seconds| staleness <= Duration::from_secs(seconds)) {
            return Reuse::Stale;
        }
        if staleness < self.stale_while_revalidate { Reuse::WhileRevalidating } else { Reuse::Validate }
    }

    /// Whether it may stand in for an origin that fails (RFC 5861, section 4).
    pub(crate) fn covers_error(
        &self,
        request: &RequestDirectives,
        now: SystemTime,
        purged: Option<SystemTime>,
    ) -> bool {
        let asked = request.stale_if_error.filter(|_| !self.strict).map_or(Duration::ZERO, Duration::from_secs);
        let window = self.stale_if_error.max(asked);
        !self.no_cache && self.staleness(now, purged).is_none_or(|staleness| staleness < window)
    }
}

/// RFC 9111, section 4.2.3. An unreadable `Age` makes the answer older than any lifetime.
fn initial_age(headers: &HeaderMap, asked: SystemTime, received: SystemTime) -> Duration {
    let apparent = date::date_of(headers, &header::DATE).map_or(Duration::ZERO, |date| date::since(received, date));
    let delay = date::since(received, asked);
    date::age_of(headers).map_or(FOREVER, |age| apparent.max(age + delay))
}

/// The lifetime that the answer names (RFC 9111, section 4.2.1). A targeted field silences `Expires` (RFC 9213).
fn explicit(
    directives: &ResponseDirectives,
    is_targeted: bool,
    headers: &HeaderMap,
    received: SystemTime,
) -> Option<Duration> {
    if let Some(seconds) = directives.s_maxage.or(directives.max_age) {
        return Some(Duration::from_secs(seconds));
    }
    if is_targeted || !headers.contains_key(header::EXPIRES) {
        return None;
    }
    let date = date::date_of(headers, &header::DATE).unwrap_or(received);
    let expires = date::date_of(headers, &header::EXPIRES);
    let longest = Duration::from_secs(MOST_SECONDS);
    Some(expires.map_or(Duration::ZERO, |expires| date::since(expires, date).min(longest)))
}

/// The lifetime of an answer that names none: the route's, else guessed from when it last changed.
fn guess(
    policy: &Policy,
    directives: &ResponseDirectives,
    status: StatusCode,
    headers: &HeaderMap,
    received: SystemTime,
) -> Duration {
    if let Some(ttl) = policy.status_ttl.get(&status.as_u16()) {
        return *ttl;
    }
    if !HEURISTIC.contains(&status.as_u16()) && !directives.public {
        return Duration::ZERO;
    }
    if !policy.default_ttl.is_zero() && !status.is_server_error() {
        return policy.default_ttl;
    }
    let date = date::date_of(headers, &header::DATE).unwrap_or(received);
    let changed = date::date_of(headers, &header::LAST_MODIFIED).map_or(Duration::ZERO, |then| date::since(date, then));
    (changed * policy.heuristic_percent.min(100) / 100).min(policy.heuristic_cap)
}
