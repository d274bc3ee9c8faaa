//! One QUIC connection, from its handshake to its end.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use h3::error::Code;
use quinn::{VarInt, crypto::rustls::HandshakeData};
use rustls_pki_types::CertificateDer;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinSet, consume_budget},
    time::{Instant, MissedTickBehavior, Sleep, interval, sleep, timeout},
};

use super::{
    flood::{Figures, Meter},
    handshake::Wanted,
    request::Requests,
    transport::{Ledger, Transport},
};
use crate::{
    app::{App, ClientCertificate},
    connection::{Finding, JUST_CONNECTED, Server, Watch},
    exchange::Exchange,
    service::Service,
    telemetry,
};

type Http3 = h3::server::Connection<Transport, Bytes>;

/// How long requests that were sent before the client heard of the end are still taken: round trips, and bounds.
const LAST_REQUESTS: u32 = 2;
const AT_LEAST: Duration = Duration::from_millis(5);
/// The longest pause between the last answer and the end.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// The most requests that may be announced as taken.
const ALL: usize = 1 << 60;
/// The most often that a connection is looked at without need.
const LOOK: Duration = Duration::from_secs(2);
/// What the fields of one head may take, whatever the settings say: more than a header map could hold.
const MOST_FIELDS: u64 = 512 * 1024;

/// Serves a connection that was accepted; the permit is held until its handshake ends.
pub(super) async fn serve<A: App>(
    server: Arc<Server<A>>,
    (connecting, permit): (quinn::Connecting, Option<OwnedSemaphorePermit>),
    wanted: Wanted,
) {
    let handshake = async {
        tokio::select! {
            biased;
            () = wanted.missing() => Err("no_certificate"),
            connected = connecting => connected.map_err(|error| {
                tracing::debug!(%error, "QUIC handshake failed");
                "protocol"
            }),
        }
    };
    let connection = tokio::select! {
        biased;
        () = server.too_late() => return,
        outcome = timeout(server.edge.config.handshake_timeout, handshake) => outcome.unwrap_or(Err("timeout")),
    };
    drop(permit);
    match connection {
        Ok(connection) => Session::new(&server, connection).run(&server).await,
        Err(reason) => telemetry::handshake_failed(reason),
    }
}

/// A connection after its handshake.
struct Session<A> {
    connection: quinn::Connection,
    exchange: Arc<Exchange>,
    ledger: Arc<Ledger>,
    requests: Arc<Requests<A>>,
}

/// How far a connection is on its way to the end.
enum Closing {
    Not,
    /// Told to stop; its first request may be on its way.
    Awaiting(Instant),
    /// The client is told to send no more; what it has sent meanwhile is taken until then.
    Announced(Pin<Box<Sleep>>),
    /// Nothing more is taken.
    Closed,
}

impl<A: App> Session<A> {
    fn new(server: &Server<A>, connection: quinn::Connection) -> Self {
        telemetry::handshake("quic");
        let exchange = Arc::new(Exchange::new());
        let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
        let name = data.and_then(|data| data.server_name);
        let chain = connection.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
        let certificate = chain.and_then(|chain| chain.first().map(ClientCertificate::new));
        let mut local = server.local;
        if let Some(address) = connection.local_ip() {
            local.set_ip(address);
        }
        let service = Arc::new(Service {
            edge: Arc::clone(&server.edge),
            app: Arc::clone(&server.app),
            exchange: Arc::clone(&exchange),
            peer: connection.remote_address(),
            local,
            kind: server.kind,
            sni: name.map(|name| name.to_ascii_lowercase().into()),
            certificate,
            multiplexed: true,
            alt_svc: None,
        });
        let requests = Requests { service, connection: connection.clone() };
        Self { connection, exchange, ledger: Arc::default(), requests: Arc::new(requests) }
    }

    async fn run(&self, server: &Server<A>) {
        let opened = timeout(server.edge.config.header_timeout, self.open(server)).await;
        let Ok(Ok(mut http3)) = opened else { return };
        let code = tokio::select! {
            biased;
            () = server.phase().kill.cancelled() => {
                server.phase().note_cut(&self.exchange);
                Code::H3_NO_ERROR
            }
            code = self.speak(server, &mut http3) => code,
        };
        // Before h3 says on its way out that nothing was wrong.
        self.connection.close(VarInt::from_u32(u32::try_from(code.value()).unwrap_or(u32::MAX)), b"");
    }

    async fn open(&self, server: &Server<A>) -> Result<Http3, h3::error::ConnectionError> {
        // The service refuses what is too large, in words; this is what is not even read.
        let limit = (server.edge.config.max_header_bytes as u64).saturating_mul(2).min(MOST_FIELDS);
        let transport = Transport::new(&self.connection, Arc::clone(&self.ledger), limit);
        h3::server::builder().max_field_section_size(limit).send_grease(false).build(transport).await
    }

    /// Speaks HTTP/3 until the end; the code to close with.
    async fn speak(&self, server: &Server<A>, http3: &mut Http3) -> Code {
        let mut watch = Watch::new(&server.edge);
        let mut meter = Meter::new();
        let mut ticks = interval(watch.period().min(LOOK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way = JoinSet::new();
        let (mut closing, mut left) = (Closing::Not, false);
        loop {
            if matches!(closing, Closing::Closed) && under_way.is_empty() {
                // What the client has received it may not have read yet.
                sleep(self.connection.rtt().clamp(AT_LEAST, LAST_WORDS)).await;
                return Code::H3_NO_ERROR;
            }
            // A client that never stops asking leaves time for all else.
            consume_budget().await;
            tokio::select! {
                biased;
                () = server.phase().stop.cancelled(), if matches!(closing, Closing::Not) => {
                    closing = Closing::Awaiting(Instant::now() + JUST_CONNECTED);
                }
                () = self.proceed(&mut closing), if !matches!(closing, Closing::Not | Closing::Closed) => {
                    if self.announce(http3, &mut closing).await.is_err() {
                        return Code::H3_NO_ERROR;
                    }
                }
                _ = ticks.tick() => {
                    if !meter.look(self.figures()) {
                        telemetry::connection_cut("flood");
                        return Code::H3_EXCESSIVE_LOAD;
                    }
                    match watch.look(&self.exchange) {
                        Finding::Idle if matches!(closing, Closing::Not) => {
                            closing = Closing::Awaiting(Instant::now());
                        }
                        Finding::Fine | Finding::Idle => {}
                        Finding::Hopeless => return Code::H3_NO_ERROR,
                    }
                }
                Some(_) = under_way.join_next() => {}
                accepted = http3.accept(), if !left => {
                    let Ok(accepted) = accepted else { return Code::H3_NO_ERROR };
                    let Some(resolver) = accepted else {
                        (left, closing) = (true, Closing::Closed);
                        continue;
                    };
                    let Some(leaving) = self.ledger.leaving() else { continue };
                    let requests = Arc::clone(&self.requests);
                    under_way.spawn(async move { requests.serve(resolver, leaving).await });
                }
            }
        }
    }

    fn figures(&self) -> Figures {
        Figures::new(&self.connection.stats(), self.exchange.called(), self.ledger.carried())
    }

    /// Completes when the next step to the end is due.
    async fn proceed(&self, closing: &mut Closing) {
        match closing {
            Closing::Not | Closing::Closed => std::future::pending().await,
            Closing::Awaiting(until) => {
                while self.exchange.called() == 0 && Instant::now() < *until {
                    sleep(AT_LEAST).await;
                }
            }
            Closing::Announced(pause) => pause.as_mut().await,
        }
    }

    /// Takes that step. The first GOAWAY names no request, so that none is lost that was sent before it came; the
    /// second names the first that is not taken (RFC 9114, section 5.2).
    async fn announce(&self, http3: &mut Http3, closing: &mut Closing) -> Result<(), h3::error::ConnectionError> {
        let first = matches!(closing, Closing::Awaiting(_));
        if first && let Some(last) = self.ledger.last() {
            tracing::trace!(last, "no more requests soon");
            http3.shutdown(ALL).await?;
            let pause = (self.connection.rtt() * LAST_REQUESTS).clamp(AT_LEAST, JUST_CONNECTED);
            *closing = Closing::Announced(Box::pin(sleep(pause)));
            return Ok(());
        }
        self.ledger.close();
        http3.shutdown(1).await?;
        *closing = Closing::Closed;
        Ok(())
    }
}
