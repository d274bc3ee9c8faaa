//! One connection, from accepted to closed: handshake, protocol, requests, drain.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::BytesMut;
use edge_certificates::Hello;
use http::HeaderValue;
use hyper::{
    body::Incoming,
    server::conn::http1::UpgradeableConnection,
    service::{HttpService, service_fn},
};
use rustls::{ProtocolVersion, ServerConfig, server::ClientHello};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::LazyConfigAcceptor;

use crate::{
    app::{App, ClientCertificate, ListenerKind},
    edge::{Inner, Phase},
    exchange::Exchange,
    flood::{Flooded, Metered},
    guard::{Guard, Held},
    listener::tells,
    proxy_header::{self, Addresses},
    service::Service,
    stream::Stream,
    telemetry,
    tls::Tls,
    tracked::Tracked,
    wire::Wire,
};

/// How long a connection that is new when the drain begins has for its first request, and how often that is looked at.
pub(crate) const JUST_CONNECTED: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);
/// How long a client that floods has for taking the GOAWAY.
const LAST_WORDS: Duration = Duration::from_millis(250);
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What all connections of one listener share.
pub(crate) struct Server<A> {
    pub(crate) edge: Arc<Inner>,
    pub(crate) app: Arc<A>,
    pub(crate) kind: ListenerKind,
    pub(crate) local: SocketAddr,
    pub(crate) tls: Option<Tls>,
    /// Says that HTTP/3 is spoken here.
    pub(crate) alt_svc: Option<HeaderValue>,
}

/// A connection that is ready to speak HTTP.
struct Ready {
    stream: Stream,
    sni: Option<Arc<str>>,
    certificate: Option<ClientCertificate>,
    h2: bool,
    /// What was read to recognise the protocol.
    prefix: BytesMut,
}

impl<A: App> Server<A> {
    pub(crate) fn phase(&self) -> &Phase {
        self.edge.phase(self.kind)
    }

    /// Serves one accepted connection to its end.
    pub(crate) async fn serve(&self, tcp: TcpStream, peer: SocketAddr, held: Held) {
        // Who speaks for others speaks TCP alone.
        let told = self.alt_svc.is_some() && tells(self, peer.ip());
        let prepared = async {
            let (tcp, named) = self.name(tcp, peer).await?;
            // Boxed, like what follows: what a connection needs in one stage, it doesn't hold in the next.
            Some((Box::pin(self.prepare(tcp)).await?, named))
        };
        let ready = tokio::select! {
            biased;
            () = self.too_late() => return,
            ready = prepared => ready,
        };
        let Some((ready, Addresses { client: peer, local })) = ready else { return };
        let exchange = Arc::new(Exchange::new());
        let alt_svc = self.alt_svc.clone().filter(|_| !told);
        let service = Arc::new(Service {
            edge: Arc::clone(&self.edge),
            app: Arc::clone(&self.app),
            exchange: Arc::clone(&exchange),
            peer,
            local,
            kind: self.kind,
            sni: ready.sni,
            certificate: ready.certificate,
            multiplexed: ready.h2,
            alt_svc,
        });
        if ready.h2 {
            let (metered, flooded) = Metered::new(ready.stream, &ready.prefix);
            let wire = Wire::new(metered, ready.prefix.freeze(), self.edge.config.write_timeout);
            Box::pin(self.serve_h2((wire, flooded), service, &exchange)).await;
            drop(held);
        } else {
            let guard = Guard::new(ready.stream, ready.prefix, self.edge.guard, Arc::clone(&exchange), held);
            self.serve_h1(guard, service, &exchange).await;
        }
    }

    /// Completes a moment after the drain began: who connected before it gets an answer.
    pub(crate) async fn too_late(&self) {
        self.phase().stop.cancelled().await;
        sleep(JUST_CONNECTED).await;
    }

    /// Who is connected to whom; a load balancer in front tells it first.
    async fn name(&self, mut tcp: TcpStream, peer: SocketAddr) -> Option<(TcpStream, Addresses)> {
        let own = Addresses { client: peer, local: self.local };
        if self.kind == ListenerKind::Ops || !self.edge.config.is_load_balancer(peer.ip()) {
            return Some((tcp, own));
        }
        match timeout(self.edge.config.header_timeout, proxy_header::read(&mut tcp)).await {
            Ok(Ok(named)) => Some((tcp, named.unwrap_or(own))),
            Ok(Err(error)) => {
                telemetry::connection_cut("proxy_header");
                tracing::warn!(%error, %peer, "a load balancer sent no PROXY protocol header; see gateway.proxy_protocol");
                None
            }
            Err(_) => {
                telemetry::connection_cut("header_timeout");
                None
            }
        }
    }

    async fn prepare(&self, tcp: TcpStream) -> Option<Ready> {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let Some(tls) = &self.tls else {
            let Ok(ready) = timeout(self.edge.config.header_timeout, recognise(tcp)).await else {
                telemetry::connection_cut("header_timeout");
                return None;
            };
            return ready.ok();
        };
        let Ok(ready) = timeout(self.edge.config.handshake_timeout, handshake(tls, tcp)).await else {
            telemetry::handshake_failed("timeout");
            return None;
        };
        ready
    }

    /// Lets go of the parser and its buffers while the client is quiet: most connections are so most of the time.
    async fn serve_h1(&self, mut guard: Guard<Stream>, service: Arc<Service<A>>, exchange: &Exchange) {
        while let Some(resting) = Box::pin(self.converse(guard, Arc::clone(&service), exchange)).await {
            guard = resting;
            tokio::select! {
                () = guard.stirs() => {}
                () = self.phase().stop.cancelled() => {}
            }
        }
    }

    /// Until the connection ends, or rests.
    async fn converse(
        &self,
        guard: Guard<Stream>,
        service: Arc<Service<A>>,
        exchange: &Exchange,
    ) -> Option<Guard<Stream>> {
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(service.handle(request).await) }
        });
        let mut connection = self.edge.http1.serve_connection(guard, answer).with_upgrades();
        let talk = poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
            Poll::Pending if exchange.rests() => Poll::Ready(None),
            outcome => outcome.map(Some),
        });
        let outcome = tokio::select! {
            biased;
            outcome = talk => outcome,
            () = self.phase().stop.cancelled() => {
                self.see_off(connection, exchange).await;
                return None;
            }
        };
        if let Some(outcome) = outcome {
            ended(outcome);
            return None;
        }
        let mut parts = connection.into_parts()?;
        parts.io.take_back(&parts.read_buf);
        Some(parts.io)
    }

    /// Ends a connection in the drain, after the answer under way.
    async fn see_off<S>(&self, mut connection: UpgradeableConnection<Guard<Stream>, S>, exchange: &Exchange)
    where
        S: HttpService<Incoming, ResBody = Tracked, Error = Infallible> + Unpin,
    {
        // Its first request may be on its way; told to close now, it would be lost.
        let drain_began = Instant::now();
        while exchange.called() == 0 && drain_began.elapsed() < JUST_CONNECTED {
            tokio::select! {
                biased;
                outcome = &mut connection => return ended(outcome),
                () = self.phase().kill.cancelled() => return,
                () = sleep(LOOK) => {}
            }
        }
        Pin::new(&mut connection).graceful_shutdown();
        tokio::select! {
            biased;
            outcome = &mut connection => ended(outcome),
            () = self.phase().kill.cancelled() => self.phase().note_cut(exchange),
        }
    }

    async fn serve_h2(
        &self,
        (wire, flooded): (Wire<Metered<Stream>>, Flooded),
        service: Arc<Service<A>>,
        exchange: &Exchange,
    ) {
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(service.handle(request).await) }
        });
        let mut connection = pin!(self.edge.http2.serve_connection(wire, answer));
        let mut watch = Watch::new(&self.edge);
        let mut ticks = interval(watch.period());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = false;
        loop {
            tokio::select! {
                biased;
                outcome = connection.as_mut() => return ended(outcome),
                () = self.phase().kill.cancelled() => return self.phase().note_cut(exchange),
                () = flooded.notified() => {
                    telemetry::connection_cut("flood");
                    // Its GOAWAY is written; the answers under way are not waited for.
                    connection.as_mut().graceful_shutdown();
                    return drop(timeout(LAST_WORDS, connection).await);
                }
                () = self.phase().stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                _ = ticks.tick() => match watch.look(exchange) {
                    Finding::Fine => {}
                    Finding::Idle => connection.as_mut().graceful_shutdown(),
                    Finding::Hopeless => return,
                },
            }
        }
    }
}

fn ended(outcome: hyper::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended early");
    }
}

async fn handshake(tls: &Tls, tcp: TcpStream) -> Option<Ready> {
    let failed = |error: io::Error| {
        telemetry::handshake_failed("protocol");
        tracing::debug!(%error, "TLS handshake failed");
    };
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp).await.map_err(failed).ok()?;
    let (sni, challenge, config) = choose(tls, &start.client_hello()).await;
    let Some(config) = config else {
        telemetry::handshake_failed("no_certificate");
        // Ends in an alert, which tells the client more than a closed connection.
        let refused = start.into_stream(tls.refusing()).await;
        return refused.map_or(None, |_| None);
    };
    let mut stream = start.into_stream(config).await.map_err(failed).ok()?;
    if challenge {
        telemetry::handshake("challenge");
        drop(stream.shutdown().await); // The CA has seen what it came for.
        return None;
    }
    let (_, session) = stream.get_ref();
    telemetry::handshake(match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "1.2",
    });
    let h2 = session.alpn_protocol() == Some(b"h2");
    let certificate = session.peer_certificates().and_then(<[_]>::first).map(ClientCertificate::new);
    Some(Ready { stream: Stream::Tls(Box::new(stream)), sni, certificate, h2, prefix: BytesMut::new() })
}

/// The server name, whether a CA asks, and the configuration for the handshake.
async fn choose(tls: &Tls, hello: &ClientHello<'_>) -> (Option<Arc<str>>, bool, Option<Arc<ServerConfig>>) {
    let sni: Option<Arc<str>> = hello.server_name().map(|name| name.to_ascii_lowercase().into());
    let asked = Hello { server_name: sni.as_deref(), alpn: hello.alpn().into_iter().flatten().collect() };
    let (challenge, config) = (asked.is_challenge(), tls.config_for(&asked).await);
    (sni, challenge, config)
}

/// Tells HTTP/2 with prior knowledge (RFC 9113, section 3.3) from HTTP/1 by the first bytes.
async fn recognise(mut tcp: TcpStream) -> io::Result<Ready> {
    let mut prefix = BytesMut::new();
    let h2 = loop {
        let known = prefix.len().min(H2_PREFACE.len());
        if prefix[..known] != H2_PREFACE[..known] {
            break false;
        }
        if known == H2_PREFACE.len() {
            break true;
        }
        if tcp.read_buf(&mut prefix).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    Ok(Ready { stream: Stream::Plain(tcp), sni: None, certificate: None, h2, prefix })
}

/// Looks after a connection of HTTP/2 or HTTP/3 from outside: its reads and writes alone don't tell who waits for whom.
pub(crate) struct Watch {
    first_request: Duration,
    idle: Duration,
    stall: Duration,
    done: u64,
    idle_since: Instant,
    closing_since: Option<Instant>,
}

pub(crate) enum Finding {
    Fine,
    /// Ask it to close.
    Idle,
    /// Close it.
    Hopeless,
}

impl Watch {
    pub(crate) fn new(edge: &Inner) -> Self {
        Self {
            first_request: edge.config.header_timeout,
            idle: edge.config.idle_timeout,
            stall: edge.config.write_timeout,
            done: 0,
            idle_since: Instant::now(),
            closing_since: None,
        }
    }

    pub(crate) fn period(&self) -> Duration {
        let shortest = self.first_request.min(self.idle).min(self.stall);
        (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5))
    }

    pub(crate) fn look(&mut self, exchange: &Exchange) -> Finding {
        if exchange.longest_wait() > self.stall {
            telemetry::connection_cut("write_stall");
            return Finding::Hopeless;
        }
        if exchange.busy() || exchange.done() != self.done {
            self.done = exchange.done();
            self.idle_since = Instant::now();
            return Finding::Fine;
        }
        if let Some(since) = self.closing_since {
            return if since.elapsed() > self.first_request { Finding::Hopeless } else { Finding::Fine };
        }
        let limit = if exchange.called() == 0 { self.first_request } else { self.idle };
        if self.idle_since.elapsed() < limit {
            return Finding::Fine;
        }
        telemetry::connection_cut("idle");
        self.closing_since = Some(Instant::now());
        Finding::Idle
    }
}
