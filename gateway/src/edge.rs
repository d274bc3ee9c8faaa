//! The edge as a whole: what its listeners share, and how it ends.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, ListenerKind},
    body::Pace,
    config::{Config, ConfigError},
    connection::Server,
    connections::Connections,
    exchange::Exchange,
    forwarded::Proxies,
    framing::HeadLimits,
    guard::{GuardSetup, GuardTimes},
    journal::Journal,
    limits::{LimitFigures, Limits},
    listener::{self, Listener},
    quic::{self, Quic},
    tls::Tls,
};

/// After the deadline, for tasks to notice that they are cut.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Serves applications through listeners that share their limits. Clones are handles to the same edge.
#[derive(Clone)]
pub struct Edge {
    inner: Arc<Inner>,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were open when it began.
    pub open: usize,
    /// Of these, those cut at the deadline with a request under way or an upgraded stream.
    pub cut: usize,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) journal: Option<Arc<Journal>>,
    pub(crate) proxies: Proxies,
    pub(crate) guard: GuardSetup,
    pub(crate) pace: Pace,
    pub(crate) http1: http1::Builder,
    pub(crate) http2: http2::Builder<TokioExecutor>,
    public: Phase,
    ops: Phase,
    draining: AtomicBool,
}

/// The listeners that end together.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) connections: Connections,
    pub(crate) tracker: TaskTracker,
    /// No new connections or requests.
    pub(crate) stop: CancellationToken,
    /// The deadline has passed.
    pub(crate) kill: CancellationToken,
    cut: AtomicUsize,
}

impl Edge {
    /// An edge without listeners yet.
    ///
    /// # Errors
    /// Names the setting that cannot work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Self::with_journal(config, None)
    }

    /// The same, which notes the requests of its public listeners.
    ///
    /// # Errors
    /// Names the setting that cannot work.
    pub fn with_journal(config: Config, journal: impl Into<Option<Arc<Journal>>>) -> Result<Self, ConfigError> {
        config.check()?;
        let inner = Inner {
            limits: Limits::new(&config.rate_limits),
            journal: journal.into(),
            proxies: Proxies { trusted: config.trusted_proxies.clone(), header: config.forwarded_header },
            guard: GuardSetup {
                limits: HeadLimits {
                    bytes: config.max_header_bytes,
                    headers: config.max_headers,
                    target: config.max_target_bytes,
                },
                times: GuardTimes {
                    header: config.header_timeout,
                    idle: config.idle_timeout,
                    write: config.write_timeout,
                },
            },
            pace: Pace { silence: config.body_timeout, rate: config.min_body_rate, grace: config.body_grace },
            http1: http1_builder(&config),
            http2: http2_builder(&config),
            public: Phase::new(config.max_connections, config.max_connections_per_address),
            ops: Phase::new(config.max_ops_connections, 0),
            draining: AtomicBool::new(false),
            config,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Serves an application through a listener, in the background, until the drain.
    pub fn serve<A: App>(&self, listener: Listener, app: Arc<A>) {
        let Listener { socket, kind, local, tls, udp } = listener;
        let quic = udp.zip(tls.as_ref()).and_then(|(socket, tls)| self.quic(socket, tls));
        let https = &self.inner.config.https;
        let port = if https.port == 0 { local.port() } else { https.port };
        let alt_svc = quic.as_ref().and_then(|_| quic::advertisement(port));
        let server = Arc::new(Server { edge: Arc::clone(&self.inner), app, kind, local, tls, alt_svc });
        let tracker = self.inner.phase(kind).tracker.clone();
        if let Some(quic) = quic {
            tracker.spawn(quic::accept(quic, Arc::clone(&server)));
        }
        tracker.spawn(listener::accept(socket, server));
    }

    /// HTTP/3 on a bound socket; none, which is logged, if the system does not let us.
    fn quic(&self, socket: UdpSocket, tls: &Tls) -> Option<Quic> {
        let quic = Quic::new(socket, tls, &self.inner.config);
        quic.inspect_err(|error| tracing::error!(%error, "HTTP/3 is not served; HTTP/1.1 and HTTP/2 are")).ok()
    }

    /// Makes [`Edge::is_draining`] true and asks HTTP/1 clients to leave, while all listeners still serve: readiness
    /// can go false before the first connection is refused.
    pub fn announce_drain(&self) {
        self.inner.draining.store(true, Ordering::Release);
    }

    /// Whether the end has been announced or has begun.
    pub fn is_draining(&self) -> bool {
        self.inner.is_draining()
    }

    /// Brings those gauges up to date that are not counted as they change.
    pub fn note_figures(&self) {
        self.inner.limits.note_clients();
    }

    /// How the limits by address and credential stand.
    pub fn limits(&self) -> Vec<LimitFigures> {
        self.inner.limits.figures()
    }

    /// Closes the public listeners, lets requests under way finish (`Connection: close`, GOAWAY), cuts what is left at
    /// the deadline, then closes the operators' listener.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.announce_drain();
        let drained = self.inner.public.end(deadline).await;
        self.inner.ops.end(Duration::ZERO).await;
        drained
    }
}

impl Inner {
    pub(crate) fn phase(&self, kind: ListenerKind) -> &Phase {
        match kind {
            ListenerKind::Http | ListenerKind::Https => &self.public,
            ListenerKind::Ops => &self.ops,
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

impl Phase {
    fn new(connections: usize, per_address: usize) -> Self {
        Self {
            connections: Connections::new(connections, per_address),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            cut: AtomicUsize::new(0),
        }
    }

    /// A connection ends by force.
    pub(crate) fn note_cut(&self, exchange: &Exchange) {
        if exchange.busy() {
            self.cut.fetch_add(1, Ordering::AcqRel);
            crate::telemetry::connection_cut("drain");
        }
    }

    async fn end(&self, deadline: Duration) -> Drained {
        let open = self.connections.open();
        self.stop.cancel();
        self.tracker.close();
        if timeout(deadline, self.tracker.wait()).await.is_err() {
            self.kill.cancel();
            if timeout(LAST_MOMENT, self.tracker.wait()).await.is_err() {
                tracing::warn!(streams = self.connections.open(), "upgraded streams outlive the drain");
            }
        }
        Drained { open, cut: self.cut.load(Ordering::Acquire) + self.connections.open() }
    }
}

/// What HTTP/1.1 buffers of a message at most, in either direction, if heads leave it the choice. hyper's own 408 KiB are
/// what each client takes who does not read his answer.
const BUFFERED: usize = 64 * 1024;

fn http1_builder(config: &Config) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The guard below the parser keeps time; hyper's own clock would only start a second one.
    builder.timer(TokioTimer::new()).header_read_timeout(None);
    // A whole head must fit, and the guard lets none pass that is longer than the settings say.
    builder.max_buf_size(config.max_header_bytes.saturating_mul(2).max(BUFFERED));
    if config.max_headers > 100 {
        builder.max_headers(config.max_headers);
    }
    builder
}

fn http2_builder(config: &Config) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.http2.max_concurrent_streams)
        .max_pending_accept_reset_streams(config.http2.max_pending_resets)
        .max_local_error_reset_streams(config.http2.max_error_resets)
        .keep_alive_interval(config.http2.ping_interval)
        .keep_alive_timeout(config.http2.ping_timeout)
        .max_header_list_size(u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX));
    builder
}
