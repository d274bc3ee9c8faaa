//! One upstream server: its connections, its load, and how it stands.

mod lease;
mod load;
mod standing;
mod status;

pub(crate) use lease::{Lease, Wait};
pub(crate) use load::Load;
pub(crate) use standing::Standing;
pub use status::{LastError, TargetState, TargetStatus};

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{
    address::AddressPolicy,
    balance,
    config::{Breaker, Connections, Place, Reach, Speech, TlsConfig},
    connect::{Connector, Spoken},
    error::{Fault, UpstreamError},
    exchange::{Http1, Http1Shelf, Http2, Http2Shelf},
    resolve::{Addresses, Resolver},
    telemetry::Figures,
    tls::{SystemRoots, TlsClient},
};

/// What makes a target the same after a change of its pool: then it keeps its connections and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TargetKey {
    pub(crate) place: Place,
    pub(crate) tls: TlsConfig,
    pub(crate) connections: Connections,
    pub(crate) breaker: Breaker,
    pub(crate) reach: Reach,
}

/// What targets need from outside.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) policy: Arc<dyn AddressPolicy>,
    pub(crate) roots: SystemRoots,
    pub(crate) tasks: TaskTracker,
}

/// What is spoken over TLS is known after the first handshake.
const UNKNOWN: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;

pub(crate) struct Target {
    pub(crate) key: TargetKey,
    /// Its scheme and authority.
    pub(crate) name: Arc<str>,
    /// For hashing.
    pub(crate) identity: u64,
    pub(crate) load: Load,
    pub(crate) standing: Standing,
    pub(crate) figures: Figures,
    connector: Connector,
    http1: Http1Shelf,
    http2: Http2Shelf,
    spoken: AtomicU8,
    last_error: Mutex<Option<(String, Instant)>>,
}

/// A connection that is ready for a request.
pub(crate) enum Ready {
    Http1 { connection: Box<Http1>, reused: bool },
    Http2(Http2),
}

/// What a request asks of its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// It may become something else than HTTP.
    pub(crate) upgrade: bool,
    /// It can't be sent twice, so the connection must stand for sure.
    pub(crate) once: bool,
    pub(crate) deadline: Instant,
}

impl Target {
    pub(crate) fn new(pool: &str, key: TargetKey, around: &Surroundings) -> Result<Arc<Self>, String> {
        let place = key.place.clone();
        let tls = match place.speech {
            Speech::Tls => Some(TlsClient::new(&key.tls, &place, &around.roots)?),
            Speech::Http1 | Speech::H2c => None,
        };
        let spoken = match place.speech {
            Speech::Http1 => HTTP1,
            Speech::H2c => HTTP2,
            Speech::Tls if key.tls.http1_only => HTTP1,
            Speech::Tls => UNKNOWN,
        };
        let policy = (key.reach == Reach::Guarded).then(|| Arc::clone(&around.policy));
        let (resolver, kept) = (Arc::clone(&around.resolver), key.connections.resolve_again);
        let addresses = Addresses::new(resolver, around.tasks.clone(), kept);
        let (breaker, connections) = (key.breaker, key.connections);
        let name = format!("{}://{}", place.scheme(), place.authority);
        Ok(Arc::new(Self {
            identity: balance::identity(&name),
            name: name.into(),
            load: Load::new(),
            standing: Standing::new(),
            figures: Figures::new(pool, &place.authority),
            connector: Connector { place, addresses, tls, policy, open: Arc::default() },
            http1: Http1Shelf::new(&breaker, connections.max_idle),
            http2: Http2Shelf::new(around.tasks.clone(), connections.max_streams, breaker.max_connections),
            spoken: AtomicU8::new(spoken),
            last_error: Mutex::default(),
            key,
        }))
    }

    /// A connection for a request: one that is there, or a new one. The lease keeps the right to it.
    pub(crate) async fn ready(&self, lease: &mut Lease, demand: Demand) -> Result<Ready, Fault> {
        if self.key.place.speech == Speech::H2c && demand.upgrade {
            return Err(Fault::new(UpstreamError::NotForwardable, "an upgrade needs HTTP/1.1"));
        }
        if !demand.upgrade && self.spoken.load(Ordering::Acquire) != HTTP1 {
            if let Some(http2) = self.http2.take() {
                return Ok(Ready::Http2(http2));
            }
            if let Some(ready) = self.first_of_many(lease, demand).await? {
                return Ok(ready);
            }
        }
        lease.hold(self.http1.slot(demand.deadline).await?);
        if let Some(connection) = self.http1.take(demand.once) {
            return Ok(Ready::Http1 { connection, reused: true });
        }
        self.connect(demand).await
    }

    /// Makes a connection that others may wait for. None if it turns out that HTTP/1.1 is spoken and another request
    /// has found that out already.
    async fn first_of_many(&self, lease: &mut Lease, demand: Demand) -> Result<Option<Ready>, Fault> {
        let turn = self.http2.turn(demand.deadline).await?;
        if self.spoken.load(Ordering::Acquire) == HTTP1 {
            return Ok(None);
        }
        if let Some(http2) = self.http2.take() {
            return Ok(Some(Ready::Http2(http2)));
        }
        let ready = self.connect(demand).await?;
        drop(turn);
        if matches!(ready, Ready::Http1 { .. }) {
            lease.hold(self.http1.slot(demand.deadline).await?);
        }
        Ok(Some(ready))
    }

    async fn connect(&self, demand: Demand) -> Result<Ready, Fault> {
        self.figures.connections.increment(1);
        match self.connector.connect(demand.upgrade, demand.deadline).await? {
            Spoken::Http1(io) => {
                if !demand.upgrade {
                    self.spoken.store(HTTP1, Ordering::Release);
                }
                Ok(Ready::Http1 { connection: Http1::new(io).await?, reused: false })
            }
            Spoken::Http2(io) => {
                self.spoken.store(HTTP2, Ordering::Release);
                Ok(Ready::Http2(self.http2.add(io, demand.deadline).await?))
            }
        }
    }

    /// A connection of its own, for a health check.
    pub(crate) async fn probe(&self, deadline: Instant) -> Result<Spoken, Fault> {
        self.connector.connect(false, deadline).await
    }

    /// Keeps a connection for the next request.
    pub(crate) fn park(&self, connection: Box<Http1>) {
        self.http1.park(connection);
    }

    /// Closes idle connections.
    pub(crate) fn sweep(&self) {
        let timeout: Duration = self.key.connections.idle_timeout;
        self.http1.sweep(timeout);
        self.http2.sweep(timeout);
        self.figures.open(self.connector.open());
    }

    /// Whether one more request is allowed.
    pub(crate) fn has_room(&self) -> bool {
        self.load.in_flight() < self.max_requests()
    }

    fn max_requests(&self) -> u32 {
        u32::try_from(self.key.breaker.max_requests).unwrap_or(u32::MAX)
    }

    /// Remembers what went wrong, for the operator.
    pub(crate) fn note(&self, detail: &str) {
        let kept = detail.chars().take(300).collect();
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some((kept, Instant::now()));
    }
}
