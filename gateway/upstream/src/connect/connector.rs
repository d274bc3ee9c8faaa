//! From a place to a connection: resolve, ask whether the address is permitted, connect, TLS.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{io::Io, stream::Stream};
use crate::{
    address::AddressPolicy,
    config::{Place, Speech},
    error::{Fault, Phase, UpstreamError},
    resolve::Addresses,
    tls::TlsClient,
};

/// What the two ends agreed on.
#[derive(Debug)]
pub(crate) enum Spoken {
    Http1(Io),
    Http2(Io),
}

/// Makes the connections to one target.
pub(crate) struct Connector {
    pub(crate) place: Place,
    pub(crate) addresses: Addresses,
    pub(crate) tls: Option<TlsClient>,
    /// None if any address may be reached.
    pub(crate) policy: Option<Arc<dyn AddressPolicy>>,
    pub(crate) open: Arc<AtomicUsize>,
}

impl Connector {
    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Connects, at the latest by the deadline. `http1`: HTTP/2 won't do.
    pub(crate) async fn connect(&self, http1: bool, deadline: Instant) -> Result<Spoken, Fault> {
        let connecting = timeout_at(deadline, self.connect_whenever(http1, deadline));
        connecting.await.unwrap_or_else(|_| Err(self.too_late()))
    }

    fn too_late(&self) -> Fault {
        Fault::new(UpstreamError::Timeout(Phase::Connect), format!("no connection to {} in time", self.place.authority))
    }

    async fn connect_whenever(&self, http1: bool, deadline: Instant) -> Result<Spoken, Fault> {
        let found = self.addresses.of(&self.place).await?;
        let permitted = |address: &&SocketAddr| self.policy.as_ref().is_none_or(|policy| policy.permits(**address));
        let addresses: Vec<SocketAddr> = found.iter().filter(permitted).copied().collect();
        if addresses.is_empty() {
            tracing::warn!(target = &*self.place.authority, "no address of this upstream may be reached");
            let detail = format!("no address of {} may be reached", self.place.authority);
            return Err(Fault::new(UpstreamError::Forbidden, detail));
        }
        let tcp = self.first_of(&addresses, deadline).await?;
        match (&self.tls, self.place.speech) {
            (Some(tls), _) => self.secure(tls, tcp, http1).await,
            (None, Speech::H2c) => Ok(Spoken::Http2(Io::new(Stream::Plain(tcp), &self.open))),
            (None, _) => Ok(Spoken::Http1(Io::new(Stream::Plain(tcp), &self.open))),
        }
    }

    /// The first that answers; each has an equal part of the time that is left.
    async fn first_of(&self, addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Fault> {
        let mut last = self.too_late();
        for (tried, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let parts = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match timeout_at(Instant::now() + left / parts, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    if let Err(error) = tcp.set_nodelay(true) {
                        tracing::debug!(%error, "no TCP_NODELAY");
                    }
                    return Ok(tcp);
                }
                Ok(Err(error)) => last = Fault::new(UpstreamError::Connect, format!("{address}: {error}")),
                Err(_) => {
                    let detail = format!("{address} does not answer");
                    last = Fault::new(UpstreamError::Timeout(Phase::Connect), detail);
                }
            }
        }
        Err(last)
    }

    async fn secure(&self, tls: &TlsClient, tcp: TcpStream, http1: bool) -> Result<Spoken, Fault> {
        let config = if http1 { &tls.http1 } else { &tls.any };
        let handshake = TlsConnector::from(Arc::clone(config)).connect(tls.name.clone(), tcp);
        let stream = handshake.await.map_err(|error| Fault::caused(UpstreamError::Tls, &error))?;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = Io::new(Stream::Tls(Box::new(stream)), &self.open);
        Ok(if h2 { Spoken::Http2(io) } else { Spoken::Http1(io) })
    }
}
