//! WebSockets (RFC 6455): the handshake, and who is at the other end, asked anew for every message.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, Stream, StreamExt};
use gateway::EdgeInfo;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use kernel::{Caller, Problem, Vigil};
use poem::Response;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use crate::identify::Identify;

/// The largest message of a client.
const MAX_MESSAGE: usize = 256 * 1024;
/// Messages on their way to a client that takes none.
const QUEUE: usize = 64;
/// How long a client may take nothing.
const SLOW: Duration = Duration::from_secs(30);
/// How often the server pings, so that a dead connection is noticed.
const PING: Duration = Duration::from_secs(20);

/// A client that wants to leave HTTP.
pub struct Handshake {
    accept: String,
    upgrade: OnUpgrade,
    protocols: Vec<String>,
}

/// Whether the request asks for a WebSocket at all.
pub fn wanted(parts: &Parts) -> bool {
    parts.method == Method::GET && holds(&parts.headers, header::UPGRADE, "websocket")
}

fn holds(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    words(headers, name).any(|found| found.eq_ignore_ascii_case(word))
}

fn words(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

impl Handshake {
    /// Reads the handshake; `None` when it is none.
    pub fn of(parts: &mut Parts) -> Option<Self> {
        let version = parts.headers.get(header::SEC_WEBSOCKET_VERSION)?;
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY)?;
        let fits = version == "13" && key.len() == 24 && holds(&parts.headers, header::CONNECTION, "upgrade");
        let accept = derive_accept_key(key.as_bytes());
        let protocols = words(&parts.headers, header::SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect();
        let upgrade = parts.extensions.remove::<OnUpgrade>()?;
        fits.then_some(Self { accept, upgrade, protocols })
    }

    /// The protocols that the client speaks.
    pub fn protocols(&self) -> &[String] {
        &self.protocols
    }

    /// The answer that opens the connection, and the connection to come.
    pub fn accept(self, protocol: Option<&str>) -> (Response, OnUpgrade) {
        let mut builder = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        if let Some(protocol) = protocol {
            builder = builder.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        (builder.finish(), self.upgrade)
    }
}

/// Who is at the other end of a connection.
pub struct Who {
    identify: Identify,
    headers: HeaderMap,
    edge: EdgeInfo,
}

impl Who {
    /// Whoever these headers name.
    pub fn new(identify: Identify, mut headers: HeaderMap, edge: EdgeInfo) -> Self {
        headers.remove("idempotency-key");
        Self { identify, headers, edge }
    }
}

#[async_trait]
impl chat::Identifier for Who {
    async fn caller(&self) -> Result<Caller, Problem> {
        // As a method that changes things, so that a page of another origin can't use a browser's cookie.
        self.identify.request(&Method::POST, &self.headers, &self.edge).await.caller
    }
}

/// Both directions of a connection, as texts.
pub struct Talk {
    socket: WebSocketStream<TokioIo<Upgraded>>,
}

impl Talk {
    /// The connection, once HTTP has let go of it.
    pub async fn begin(upgrade: OnUpgrade) -> Option<Self> {
        let upgraded = upgrade.await.ok()?;
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        Some(Self { socket })
    }

    /// Talks by `work`, which is given what comes in and where to put what goes out, until it ends, the client leaves,
    /// `caller` no longer stands (the connection is closed with 1008 and the reason's code) or `closing` is cancelled.
    pub async fn run<F>(
        self,
        caller: &Caller,
        closing: CancellationToken,
        work: impl FnOnce(Incoming, mpsc::Sender<String>) -> F,
    ) where
        F: Future<Output = ()>,
    {
        let (sink, stream) = self.socket.split();
        let (sender, queue) = mpsc::channel::<String>(QUEUE);
        let texts = stream.take_while(|message| std::future::ready(message.is_ok())).filter_map(|message| async move {
            match message {
                Ok(Message::Text(text)) => Some(text.as_str().to_owned()),
                _ => None,
            }
        });
        let mut work = pin!(work(Box::pin(texts), sender));
        let mut write = pin!(write(sink, queue, Vigil::over(caller).lost()));
        tokio::select! {
            () = &mut work => write.await,
            () = &mut write => {}
            () = closing.cancelled() => {}
        }
    }
}

type Sink = SplitSink<WebSocketStream<TokioIo<Upgraded>>, Message>;

/// Sends what comes out of the queue, and a ping now and then, until the queue ends, the client takes nothing, or
/// `lost` completes.
async fn write(mut sink: Sink, mut queue: mpsc::Receiver<String>, lost: impl Future<Output = Problem>) {
    let mut lost = pin!(lost);
    let mut ping = tokio::time::interval(PING);
    loop {
        let message = tokio::select! {
            text = queue.recv() => match text {
                Some(text) => Message::text(text),
                None => Message::Close(None),
            },
            problem = &mut lost => {
                let reason = problem.code.into_owned().into();
                Message::Close(Some(CloseFrame { code: CloseCode::Policy, reason }))
            }
            _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
        };
        let last = message.is_close();
        let sent = tokio::time::timeout(SLOW, sink.send(message)).await;
        if last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// What comes in.
pub type Incoming = std::pin::Pin<Box<dyn Stream<Item = String> + Send>>;

/// Talks chat with whoever opened the connection.
pub async fn chat(chat: chat::Chat, who: Arc<Who>, caller: Caller, upgrade: OnUpgrade, closing: CancellationToken) {
    if let Some(talk) = Talk::begin(upgrade).await {
        let work = async |incoming, outgoing| chat.converse(who.as_ref(), incoming, outgoing).await;
        talk.run(&caller, closing, work).await;
    }
}
