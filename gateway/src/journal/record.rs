//! One request, as it is remembered.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, Method, Version};

use crate::{
    app::{RequestId, Scheme},
    limits::Counted,
};

/// A request whose answer has begun. What clients choose is bounded: see [`Record::path`].
#[derive(Debug)]
pub struct Record {
    /// One more than that of the request noted before.
    pub number: u64,
    /// When the request came.
    pub at: SystemTime,
    /// The same by a clock that is never set.
    pub begun: Instant,
    /// From the request's head to its answer's.
    pub took: Duration,
    pub method: Method,
    /// Lower case, without the port.
    pub host: Option<Arc<str>>,
    /// Without the query; cut after [`Record::LONGEST_PATH`] bytes.
    pub path: Box<str>,
    pub version: Version,
    pub scheme: Scheme,
    /// 499: the client left before the answer.
    pub status: u16,
    pub address: IpAddr,
    pub request_id: RequestId,
    pub trace_id: [u8; 16],
    /// The credential, as [`crate::App::rate_key`] names it: a hash under a key of this process.
    pub credential: Option<u64>,
    pub particulars: Particulars,
    /// The limits that refused it.
    pub refused_by: Vec<Arc<str>>,
    /// The limits in a dry run that would have.
    pub would_refuse: Vec<Arc<str>>,
    pub(crate) sent: AtomicU64,
    pub(crate) over: AtomicBool,
}

/// What those behind the edge know of a request. In the extensions of an answer, the application tells it.
#[derive(Clone, Debug, Default)]
pub struct Particulars {
    /// The operation's template, or the face that answered: never text of the client.
    pub operation: Option<&'static str>,
    /// What kind of credential there was.
    pub actor: Option<&'static str>,
    /// The account that asks, by its id.
    pub account: Option<Arc<str>>,
    /// The tenant that is asked, by its id.
    pub tenant: Option<Arc<str>>,
    /// Its short name.
    pub tenant_name: Option<Arc<str>>,
    /// The edge's own: the id of the route that took it.
    pub route: Option<Arc<str>>,
    /// The edge's own: the pool that it went to.
    pub pool: Option<Arc<str>>,
    /// The edge's own: the server of the pool that answered.
    pub target: Option<Arc<str>>,
    /// The edge's own: what the cache did, where the route has one.
    pub cache: Option<CacheOutcome>,
}

/// What the cache did for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheOutcome {
    /// Answered from memory.
    Hit,
    /// Asked for, since nothing was kept.
    Miss,
    /// Shared the answer to another request for the same.
    Collapsed,
    /// What was kept had to be asked for again.
    Stale,
    /// Not for the cache.
    Bypass,
}

impl Record {
    /// More of a path is not remembered.
    pub const LONGEST_PATH: usize = 1024;

    /// Bytes of the answer's body that were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the answer has ended, whole or not.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Such as `HTTP/1.1`.
    pub fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            Version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/1.1",
        }
    }

    pub(crate) fn counted(&self) -> Counted<'_> {
        let particulars = &self.particulars;
        Counted {
            address: self.address,
            key: self.credential,
            account: particulars.account.as_deref(),
            // Nobody in particular counts by address, as at the edge, whichever tenant they ask.
            tenant: particulars.tenant.as_deref().filter(|_| particulars.account.is_some()),
            route: particulars.route.as_deref().or(particulars.operation).unwrap_or_default(),
        }
    }
}

impl CacheOutcome {
    /// As logs and both APIs write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
            Self::Stale => "stale",
            Self::Bypass => "bypass",
        }
    }

    /// Reads the member that the edge's own cache added last to `Cache-Status` (RFC 9211).
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let told = headers.get_all("cache-status").iter().next_back()?.to_str().ok()?;
        let mut parts = told.rsplit(',').next()?.split(';').map(str::trim);
        parts.next().filter(|name| *name == "holdfast")?;
        let parts: Vec<&str> = parts.collect();
        let has = |word: &str| parts.contains(&word);
        Some(if has("hit") {
            Self::Hit
        } else if has("collapsed") {
            Self::Collapsed
        } else if has("fwd=stale") {
            Self::Stale
        } else if has("fwd=bypass") || has("fwd=method") {
            Self::Bypass
        } else {
            Self::Miss
        })
    }
}

/// A request of which only the number matters.
#[cfg(test)]
pub(crate) fn tests_record(number: u64) -> Record {
    Record {
        number,
        at: SystemTime::UNIX_EPOCH,
        begun: Instant::now(),
        took: Duration::from_millis(1),
        method: Method::GET,
        host: None,
        path: "/".into(),
        version: Version::HTTP_11,
        scheme: Scheme::Http,
        status: 200,
        address: [192, 0, 2, 1].into(),
        request_id: RequestId::mint(),
        trace_id: [1; 16],
        credential: None,
        particulars: Particulars::default(),
        refused_by: Vec::new(),
        would_refuse: Vec::new(),
        sent: AtomicU64::new(0),
        over: AtomicBool::new(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_s_own_member_of_cache_status_tells_the_outcome() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("cache-status", value.parse().unwrap());
            }
            CacheOutcome::of(&headers)
        };

        assert_eq!(of(&["holdfast; hit; ttl=5"]), Some(CacheOutcome::Hit));
        assert_eq!(of(&["origin; hit", "holdfast; fwd=uri-miss; stored"]), Some(CacheOutcome::Miss));
        assert_eq!(of(&["holdfast; fwd=uri-miss; collapsed"]), Some(CacheOutcome::Collapsed));
        assert_eq!(of(&["holdfast; fwd=stale; fwd-status=304"]), Some(CacheOutcome::Stale));
        assert_eq!(of(&["holdfast; fwd=bypass"]), Some(CacheOutcome::Bypass));
        assert_eq!(of(&["origin; hit"]), None);
        assert_eq!(of(&[]), None);
    }
}
