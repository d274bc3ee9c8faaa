//! The choice of the certificate for a QUIC handshake.
//!
//! quinn takes the configuration before the client has said for whom it asks. So a session stands in its place that
//! does nothing but read the `ClientHello`; then the real one is made and given what was read. A certificate that is
//! held is found at once. One that has to be loaded is waited for by the connection's task: meanwhile the session
//! answers nothing, and goes on at the client's next packet, which QUIC repeats within a few round trips.

use std::{
    any::Any,
    mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::BufMut;
use edge_certificates::Hello;
use futures_util::{FutureExt, future::BoxFuture};
use quinn::{
    ConnectionId, Side,
    crypto::{self, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, UnsupportedVersion},
};
use quinn_proto::{
    TransportError, TransportErrorCode, crypto::rustls::QuicServerConfig, transport_parameters::TransportParameters,
};
use rustls::{AlertDescription, ServerConfig, server::Acceptor};
use tokio::sync::{Notify, oneshot};

use crate::tls::Tls;

/// The most that a `ClientHello` may have: what fits into one record.
const MOST: usize = 16 * 1024;
/// Type and length of a message.
const HEAD: usize = 4;
const CLIENT_HELLO: u8 = 1;

type Found = Option<Arc<ServerConfig>>;
/// A search for a certificate that takes its time.
pub(super) type Search = BoxFuture<'static, Found>;

/// The crypto configuration of one connection.
pub(super) struct Choice {
    tls: Tls,
    /// Keys that don't depend on the certificate.
    standing: Arc<QuicServerConfig>,
    search: Mutex<Option<oneshot::Sender<Search>>>,
    outcome: Arc<Outcome>,
}

/// How a search that took its time went.
#[derive(Default)]
struct Outcome {
    found: OnceLock<Found>,
    /// Told when what was found is of no use.
    failed: Notify,
}

/// The connection's side of it.
pub(super) struct Wanted {
    search: oneshot::Receiver<Search>,
    outcome: Arc<Outcome>,
}

impl Wanted {
    /// Does the search, if there is one; completes if it is in vain.
    pub(super) async fn missing(self) {
        if let Ok(search) = self.search.await {
            let found = search.await;
            let none = found.is_none();
            // Nobody else sets it.
            drop(self.outcome.found.set(found));
            if none {
                return;
            }
        }
        self.outcome.failed.notified().await;
    }
}

impl Choice {
    /// For one connection.
    pub(super) fn new(tls: &Tls, standing: &Arc<QuicServerConfig>) -> (Self, Wanted) {
        let (sender, search) = oneshot::channel();
        let outcome = Arc::new(Outcome::default());
        let wanted = Wanted { search, outcome: Arc::clone(&outcome) };
        let search = Mutex::new(Some(sender));
        (Self { tls: tls.clone(), standing: Arc::clone(standing), search, outcome }, wanted)
    }
}

impl crypto::ServerConfig for Choice {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.standing.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.standing.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn crypto::Session> {
        let inner = Arc::clone(&self.standing).start_session(version, params);
        Box::new(Session { choice: self, version, params: *params, inner, hello: Vec::new(), stage: Stage::Reading })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The `ClientHello` is not whole.
    Reading,
    /// The certificate is being looked for.
    Waiting,
    /// The inner session speaks.
    Chosen,
    /// The connection's task is about to close it.
    Failed,
}

struct Session {
    choice: Arc<Choice>,
    version: u32,
    params: TransportParameters,
    inner: Box<dyn crypto::Session>,
    hello: Vec<u8>,
    stage: Stage,
}

impl Session {
    /// Looks for the certificate, once the `ClientHello` is whole.
    fn choose(&mut self) -> Result<bool, TransportError> {
        let Some(length) = whole(&self.hello)? else { return Ok(false) };
        let asked = Asked::read(&self.hello[..length])?;
        let tls = self.choice.tls.clone();
        let mut search: Search = async move { asked.answer(&tls).await }.boxed();
        match search.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => self.begin(found.as_ref()),
            Poll::Pending => {
                self.stage = Stage::Waiting;
                let sender = self.choice.search.lock().unwrap_or_else(PoisonError::into_inner).take();
                match sender.map(|sender| sender.send(search)) {
                    Some(Ok(())) => Ok(false),
                    _ => Err(alert(AlertDescription::InternalError, "nobody looks for a certificate")),
                }
            }
        }
    }

    /// Puts the real session in place, and gives it what was read.
    fn begin(&mut self, found: Option<&Arc<ServerConfig>>) -> Result<bool, TransportError> {
        let Some(config) = found else {
            return Err(alert(AlertDescription::UnrecognisedName, "there is no certificate for this name"));
        };
        let config = QuicServerConfig::try_from(Arc::clone(config))
            .map_err(|error| alert(AlertDescription::InternalError, &error.to_string()))?;
        self.inner = crypto::ServerConfig::start_session(Arc::new(config), self.version, &self.params);
        self.stage = Stage::Chosen;
        self.inner.read_handshake(&mem::take(&mut self.hello))
    }
}

impl crypto::Session for Session {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        None
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, bytes: &[u8]) -> Result<bool, TransportError> {
        match self.stage {
            Stage::Chosen => self.inner.read_handshake(bytes),
            Stage::Waiting | Stage::Failed => {
                Err(alert(AlertDescription::UnexpectedMessage, "more than a ClientHello"))
            }
            Stage::Reading => {
                self.hello.extend_from_slice(bytes);
                self.choose()
            }
        }
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        if self.stage == Stage::Waiting {
            let outcome = Arc::clone(&self.choice.outcome);
            if self.begin(outcome.found.get()?.as_ref()).is_err() {
                self.stage = Stage::Failed;
                outcome.failed.notify_one();
            }
        }
        if self.stage == Stage::Chosen { self.inner.write_handshake(buf) } else { None }
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys()
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

/// The length of the `ClientHello`, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<usize>, TransportError> {
    let Some(&[kind, a, b, c]) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let length = HEAD + ((usize::from(a) << 16) | (usize::from(b) << 8) | usize::from(c));
    if kind != CLIENT_HELLO || length > MOST || bytes.len() > length {
        return Err(alert(AlertDescription::UnexpectedMessage, "a ClientHello is expected"));
    }
    Ok((bytes.len() == length).then_some(length))
}

/// What the client asks for.
struct Asked {
    name: Option<String>,
    protocols: Vec<Vec<u8>>,
}

impl Asked {
    /// Reads a whole `ClientHello`, as if it had come in a record.
    fn read(message: &[u8]) -> Result<Self, TransportError> {
        let mut record = Vec::with_capacity(5 + message.len());
        record.put_slice(&[0x16, 3, 1]);
        record.put_u16(u16::try_from(message.len()).unwrap_or(u16::MAX));
        record.put_slice(message);
        let malformed = || alert(AlertDescription::DecodeError, "the ClientHello can't be read");
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut record.as_slice()).map_err(|_| malformed())?;
        let accepted = acceptor.accept().map_err(|_| malformed())?.ok_or_else(malformed)?;
        let hello = accepted.client_hello();
        let protocols = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        Ok(Self { name: hello.server_name().map(str::to_ascii_lowercase), protocols })
    }

    async fn answer(self, tls: &Tls) -> Found {
        let alpn = self.protocols.iter().map(Vec::as_slice).collect();
        let hello = Hello { server_name: self.name.as_deref(), alpn };
        // Challenges of CAs come by TCP.
        if hello.is_challenge() { None } else { tls.config_for(&hello).await }
    }
}

fn alert(alert: AlertDescription, reason: &str) -> TransportError {
    TransportError { code: TransportErrorCode::crypto(alert.into()), frame: None, reason: reason.to_owned() }
}
