//! A cache with a clock of its own and a scripted origin.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use edge_cache::{Cache, CacheBody, Clock, Config, Policy, Scheme, Scope};
use http::{HeaderMap, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use uuid::Uuid;

pub(crate) type Body = BoxBody<Bytes, io::Error>;
pub(crate) const START: u64 = 1_800_000_000;

pub(crate) struct House {
    pub(crate) cache: Cache,
    pub(crate) policy: Arc<Policy>,
    now: Arc<AtomicU64>,
    /// Requests that reached the origin.
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) seen: Arc<Mutex<Vec<HeaderMap>>>,
}

/// An answer that was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Read {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.header("cache-status").contains("hit")
    }
}

pub(crate) fn config() -> Config {
    Config {
        memory_bytes: 8 << 20,
        max_object_bytes: 256 << 10,
        in_flight_bytes: 4 << 20,
        max_revalidations: 4,
        revalidate_timeout: Duration::from_secs(5),
        body_timeout: Duration::from_secs(5),
        disk: None,
    }
}

pub(crate) fn scope() -> Scope {
    Scope::new(Uuid::from_u128(1), Scheme::Https, "a.test")
}

pub(crate) fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never| match never {}).boxed()
}

/// An answer of the origin.
pub(crate) fn answer(headers: &[(&str, &str)], body: &'static str) -> Response<Body> {
    with_status(200, headers, body)
}

pub(crate) fn with_status(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(full(body)).unwrap()
}

pub(crate) fn get(target: &str) -> request::Builder {
    Request::get(target)
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default(), config())
    }

    pub(crate) fn with(policy: Policy, config: Config) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let clock = Arc::clone(&now);
        let cache =
            Cache::new(config, Clock::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))));
        Self { cache, policy: Arc::new(policy), now, asked: Arc::default(), seen: Arc::default() }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now.load(Ordering::SeqCst))
    }

    pub(crate) fn origin_calls(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Sends a request; the origin would answer with `answer`.
    pub(crate) async fn send(&self, request: request::Builder, answer: Response<Body>) -> Read {
        self.send_in(&scope(), request, answer).await
    }

    pub(crate) async fn send_in(&self, scope: &Scope, request: request::Builder, answer: Response<Body>) -> Read {
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let (asked, seen) = (Arc::clone(&self.asked), Arc::clone(&self.seen));
        let fetch = move |request: Request<Empty<Bytes>>| async move {
            asked.fetch_add(1, Ordering::SeqCst);
            seen.lock().unwrap().push(request.headers().clone());
            answer
        };
        read(self.cache.serve(scope, &self.policy, request, fetch).await).await.unwrap()
    }

    /// Whether a later GET of `target` is answered without the origin.
    pub(crate) async fn holds(&self, target: &str) -> bool {
        self.send(get(target), with_status(599, &[("cache-control", "no-store")], "asked")).await.is_hit()
    }

    /// Waits for what was stored to be stored.
    pub(crate) async fn settled(&self) {
        while self.cache.stats().in_flight > 0 {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn read(answer: Response<CacheBody<Body>>) -> io::Result<Read> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Read { status: head.status, headers: head.headers, body })
}
