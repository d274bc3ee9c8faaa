//! Sockets that accept connections, and the loop that does.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::sleep,
};

use crate::{
    app::{App, ListenerKind},
    connection::Server,
    guard::Held,
    telemetry,
    tls::Tls,
};

const BACKLOG: u32 = 1024;

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("Can't listen on {address} for {}: {cause}.", .kind.as_str())]
pub struct BindError {
    pub kind: ListenerKind,
    pub address: SocketAddr,
    pub cause: io::Error,
}

/// A bound socket, to be given to [`crate::Edge::serve`]. Bind within a Tokio runtime; port 0 picks a free one.
pub struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) kind: ListenerKind,
    pub(crate) local: SocketAddr,
    pub(crate) tls: Option<Tls>,
    /// For HTTP/3.
    pub(crate) udp: Option<UdpSocket>,
}

impl Listener {
    /// Plain HTTP/1 and, with prior knowledge, HTTP/2.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn http(address: SocketAddr) -> Result<Self, BindError> {
        Self::bind(address, ListenerKind::Http, None)
    }

    /// HTTP/1 and HTTP/2 over TLS.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn https(address: SocketAddr, tls: Tls) -> Result<Self, BindError> {
        Self::bind(address, ListenerKind::Https, Some(tls))
    }

    /// For operators: plain, without rate limits, with connections of its own.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn ops(address: SocketAddr) -> Result<Self, BindError> {
        Self::bind(address, ListenerKind::Ops, None)
    }

    /// On a socket that listens already: handed over by another process. Within a Tokio runtime.
    ///
    /// # Errors
    /// If the socket is of no use.
    pub fn inherited(socket: std::net::TcpListener, kind: ListenerKind, tls: Option<Tls>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, kind, local, tls, udp: None })
    }

    /// Another handle to the socket, to be handed over: it keeps listening when this one is closed.
    ///
    /// # Errors
    /// The process has no more descriptors.
    pub fn handle(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }

    /// Speaks HTTP/3 as well, through UDP on the same address and port; for HTTPS listeners. `inherited` is a bound
    /// socket that another process handed over.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn with_http3(mut self, inherited: Option<UdpSocket>) -> Result<Self, BindError> {
        let failed = |cause| BindError { kind: self.kind, address: self.local, cause };
        let socket = inherited.map_or_else(|| UdpSocket::bind(self.local), Ok).map_err(failed)?;
        self.udp = Some(socket);
        Ok(self)
    }

    /// Another handle to the UDP socket, if HTTP/3 is spoken, to be handed over.
    ///
    /// # Errors
    /// The process has no more descriptors.
    pub fn http3_handle(&self) -> io::Result<Option<OwnedFd>> {
        self.udp.as_ref().map(|socket| socket.as_fd().try_clone_to_owned()).transpose()
    }

    /// The address really bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub fn kind(&self) -> ListenerKind {
        self.kind
    }

    fn bind(address: SocketAddr, kind: ListenerKind, tls: Option<Tls>) -> Result<Self, BindError> {
        let bound = (|| {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let local = socket.local_addr()?;
            Ok((socket, local))
        })();
        match bound {
            Ok((socket, local)) => Ok(Self { socket, kind, local, tls, udp: None }),
            Err(cause) => Err(BindError { kind, address, cause }),
        }
    }
}

/// Accepts until the drain begins, then closes the socket.
pub(crate) async fn accept<A: App>(socket: TcpListener, server: Arc<Server<A>>) {
    let mut backoff = Backoff::default();
    loop {
        let outcome = tokio::select! {
            biased;
            () = server.phase().stop.cancelled() => return,
            outcome = socket.accept() => outcome,
        };
        match outcome {
            Ok((tcp, peer)) => {
                backoff = Backoff::default();
                admit(&server, tcp, peer);
            }
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                let pause = backoff.next();
                tracing::warn!(%error, listener = server.kind.as_str(), ?pause, "can't accept connections");
                tokio::select! {
                    () = server.phase().stop.cancelled() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

/// Whether others are behind this peer, of whom it tells.
pub(crate) fn tells<A>(server: &Server<A>, peer: IpAddr) -> bool {
    server.edge.proxies.trusts(peer) || server.edge.config.is_load_balancer(peer)
}

fn admit<A: App>(server: &Arc<Server<A>>, tcp: TcpStream, peer: SocketAddr) {
    let capped = server.kind != ListenerKind::Ops && !tells(server, peer.ip());
    let place = match server.phase().connections.admit(server.kind, peer.ip(), capped) {
        Ok(place) => place,
        Err(full) => return telemetry::connection_refused(server.kind, full.as_str()),
    };
    let tracker = &server.phase().tracker;
    let held = Held::new(place, tracker.token());
    let own = Arc::clone(server);
    tracker.spawn(async move { own.serve(tcp, peer, held).await });
}

/// Errors that tell of the connection just accepted, not of the socket.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused | K::Interrupted)
}

/// Pauses while the process is out of file descriptors or memory, instead of spinning.
#[derive(Debug, Default)]
struct Backoff(u32);

impl Backoff {
    fn next(&mut self) -> Duration {
        let pause = Duration::from_millis(5 << self.0.min(7));
        self.0 += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let mut backoff = Backoff::default();

        let pauses: Vec<_> = (0..10).map(|_| backoff.next()).collect();

        assert_eq!(pauses[0], Duration::from_millis(5));
        assert!(pauses.is_sorted());
        assert_eq!(pauses[9], Duration::from_millis(640));
    }
}
