//! The UDP socket of HTTP/3, and who is let in.

use std::{io, net::UdpSocket, sync::Arc, time::Duration};

use http::HeaderValue;
use quinn::{Endpoint, EndpointConfig, IdleTimeout, Incoming, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use quinn_proto::crypto::rustls::QuicServerConfig;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::{connection, handshake::Choice};
use crate::{app::App, config::Config, connection::Server, connections::Place, listener::tells, telemetry, tls::Tls};

/// Handshakes under way at once with clients that have not shown that they are where they say. More, and each has to
/// show it first (RFC 9000, section 8.1.2), which costs it a round trip and us no memory.
const UNPROVEN: usize = 128;
/// First packets that wait to be looked at, and what each of them and all together may hold.
const WAITING: usize = 256;
const WAITING_BYTES: u64 = 16 * 1024;
const ALL_WAITING_BYTES: u64 = 1024 * 1024;
/// What a client may send ahead on one stream, and on all of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const WINDOW: u32 = 1024 * 1024;
/// What is kept of answers until the client has it, over all streams of a connection.
const SEND_WINDOW: u64 = 1024 * 1024;
/// Streams in one direction: the control stream, two of QPACK, and what is ignored.
const ONE_WAY_STREAMS: u32 = 8;
/// What may arrive of a handshake out of its order.
const HANDSHAKE_BYTES: usize = 16 * 1024;
/// How long clients may remember that HTTP/3 is spoken here, in seconds.
const REMEMBERED: u32 = 86_400;
/// For the last packets, when all connections are closed.
const FAREWELL: Duration = Duration::from_millis(100);

/// A socket that is ready to speak HTTP/3.
pub(crate) struct Quic {
    endpoint: Endpoint,
    config: ServerConfig,
    tls: Tls,
    standing: Arc<QuicServerConfig>,
}

impl Quic {
    /// On a bound socket, with the certificates of `tls`. Within a Tokio runtime.
    pub(crate) fn new(socket: UdpSocket, tls: &Tls, config: &Config) -> io::Result<Self> {
        let tls = tls.for_quic().map_err(io::Error::other)?;
        let standing = Arc::new(QuicServerConfig::try_from(tls.refusing()).map_err(io::Error::other)?);
        let (choice, _) = Choice::new(&tls, &standing);
        let mut server = ServerConfig::with_crypto(Arc::new(choice));
        server
            .transport_config(Arc::new(transport(config)))
            .max_incoming(WAITING)
            .incoming_buffer_size(WAITING_BYTES)
            .incoming_buffer_size_total(ALL_WAITING_BYTES);
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(server.clone()), socket, Arc::new(TokioRuntime))?;
        Ok(Self { endpoint, config: server, tls, standing })
    }
}

/// What the HTTPS listener says on its answers, so that clients come by HTTP/3.
pub(crate) fn advertisement(port: u16) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("h3=\":{port}\"; ma={REMEMBERED}")).ok()
}

fn transport(config: &Config) -> TransportConfig {
    let mut transport = TransportConfig::default();
    let (ping, answer) = (config.http2.ping_interval, config.http2.ping_timeout);
    let silence = if ping.is_zero() { config.idle_timeout } else { ping + answer };
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(config.http2.max_concurrent_streams))
        .max_concurrent_uni_streams(VarInt::from_u32(ONE_WAY_STREAMS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(SEND_WINDOW)
        .crypto_buffer_size(HANDSHAKE_BYTES)
        .datagram_receive_buffer_size(None)
        .keep_alive_interval((!ping.is_zero()).then_some(ping))
        .max_idle_timeout(IdleTimeout::try_from(silence).ok());
    transport
}

/// Lets clients in until the drain begins; completes when the last connection is closed.
pub(crate) async fn accept<A: App>(quic: Quic, server: Arc<Server<A>>) {
    let unproven = Arc::new(Semaphore::new(UNPROVEN));
    let connections = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            biased;
            () = server.phase().stop.cancelled() => break,
            incoming = quic.endpoint.accept() => incoming,
        };
        let Some(incoming) = incoming else { break };
        if let Some((incoming, admitted)) = admit(&server, &unproven, incoming) {
            begin(&quic, &server, &connections, incoming, admitted);
        }
    }
    // Newcomers hear nothing and try again: by QUIC with the process that takes over, or by TCP.
    quic.endpoint.set_server_config(None);
    connections.close();
    connections.wait().await;
    if timeout(FAREWELL, quic.endpoint.wait_idle()).await.is_err() {
        tracing::trace!("the last packets of some connections are lost");
    }
}

/// What a connection holds while it is open; the permit only while it shakes hands.
type Admitted = (Place, Option<OwnedSemaphorePermit>);

fn admit<A: App>(server: &Server<A>, unproven: &Arc<Semaphore>, incoming: Incoming) -> Option<(Incoming, Admitted)> {
    let peer = incoming.remote_address().ip();
    if server.edge.config.is_load_balancer(peer) {
        // It would have to name its clients, and can't.
        telemetry::connection_refused(server.kind, "proxy_header");
        incoming.refuse();
        return None;
    }
    let proven = incoming.remote_address_validated();
    let permit = if proven { None } else { Arc::clone(unproven).try_acquire_owned().ok() };
    if !proven && permit.is_none() {
        telemetry::handshake_retried();
        if incoming.retry().is_err() {
            tracing::debug!("a client that has proven its address was asked for it");
        }
        return None;
    }
    match server.phase().connections.admit(server.kind, peer, !tells(server, peer)) {
        Ok(place) => Some((incoming, (place, permit))),
        Err(full) => {
            telemetry::connection_refused(server.kind, full.as_str());
            incoming.refuse();
            None
        }
    }
}

fn begin<A: App>(
    quic: &Quic,
    server: &Arc<Server<A>>,
    connections: &TaskTracker,
    incoming: Incoming,
    (place, permit): Admitted,
) {
    let (choice, wanted) = Choice::new(&quic.tls, &quic.standing);
    let mut config = quic.config.clone();
    config.crypto = Arc::new(choice);
    match incoming.accept_with(Arc::new(config)) {
        Ok(connecting) => {
            let server = Arc::clone(server);
            connections.spawn(async move {
                connection::serve(server, (connecting, permit), wanted).await;
                drop(place);
            });
        }
        Err(error) => {
            telemetry::handshake_failed("protocol");
            tracing::debug!(%error, "a QUIC connection did not begin");
        }
    }
}
