//! What a route wants of the cache.

use std::{collections::BTreeMap, time::Duration};

use http::HeaderName;

/// The cache's part of a route. [`Policy::default`] is a plain RFC 9111 shared cache that stores no cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Policy {
    /// Off: requests pass by, nothing is looked up or stored.
    pub enabled: bool,
    /// How long an answer is fresh that says nothing about it (and whose status may be cached so, RFC 9110, section
    /// 15.1). Zero: guessed from `Last-Modified` by [`Policy::heuristic_percent`].
    pub default_ttl: Duration,
    /// The share of its age at receipt for which an answer with `Last-Modified` alone is fresh, at most
    /// [`Policy::heuristic_cap`] (RFC 9111, section 4.2.2). Zero: never.
    pub heuristic_percent: u32,
    pub heuristic_cap: Duration,
    /// How long an answer with this status is fresh that says nothing about it: negative caching.
    pub status_ttl: BTreeMap<u16, Duration>,
    /// The largest body that is stored, at most [`crate::Config::max_object_bytes`].
    pub max_object_bytes: u64,
    /// Names of query parameters that are no part of the key; a trailing `*` stands for anything.
    pub ignored_query: Vec<String>,
    /// The request headers by which answers may vary. An answer that names another in `Vary` is not stored. `None`:
    /// any, within bounds.
    pub vary_allowed: Option<Vec<HeaderName>>,
    /// Requests that carry one of these cookies pass by.
    pub bypass_cookies: Vec<String>,
    /// Requests with `Authorization` pass by, even where RFC 9111, section 3.5 would let them share.
    pub bypass_authorization: bool,
    /// Whether requests come from people who were let in by who they are, even without `Authorization`: then only
    /// answers are stored that RFC 9111, section 3.5 lets them share.
    pub personal: bool,
    /// Whether `Cache-Control` of a request (`no-cache`, `max-age`, `min-fresh`, `max-stale`, `no-store`) is honoured.
    /// `only-if-cached` always is.
    pub honour_client: bool,
    /// Whether answers with `Set-Cookie` may be stored. RFC 9111 allows it where they say so; it hands one visitor's
    /// cookie to the next wherever an origin is careless.
    pub store_cookies: bool,
    /// Whether clients see the names for purging, `Surrogate-Key` and `Cache-Tag`: for another cache before this one.
    pub shows_keys: bool,
    /// Where an answer has no `stale-while-revalidate` or `stale-if-error` of its own (RFC 5861).
    pub stale_while_revalidate: Duration,
    pub stale_if_error: Duration,
    /// How long a request waits for another one's answer before it goes on by itself.
    pub coalesce_wait: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            default_ttl: Duration::ZERO,
            heuristic_percent: 10,
            heuristic_cap: Duration::from_secs(86_400),
            status_ttl: BTreeMap::new(),
            max_object_bytes: 8 * 1024 * 1024,
            ignored_query: Vec::new(),
            vary_allowed: None,
            bypass_cookies: Vec::new(),
            bypass_authorization: false,
            personal: false,
            honour_client: true,
            store_cookies: false,
            shows_keys: false,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            coalesce_wait: Duration::from_secs(10),
        }
    }
}
