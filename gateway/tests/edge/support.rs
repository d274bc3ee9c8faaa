//! An edge on a free port with an application that shows what reached it, and clients that write raw bytes.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::stream;
use gateway::{
    AccessLog, App, BodyError, CacheConfig, ClientCertificates, Config, Edge, EdgeBody, EdgeInfo, ForwardedHeader,
    Http2, Https, Journal, Listener, Rate, RateLimits, ResponseBody, RoutingConfig,
};
use http::{Request, Response, header, request};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const BIG: usize = 64 * 1024 * 1024;

/// Generous everywhere; a test tightens what it is about.
pub(crate) fn config() -> Config {
    let off = Rate { per_minute: 0, burst: 0 };
    Config {
        max_connections: 1000,
        max_connections_per_address: 0,
        max_ops_connections: 10,
        handshake_timeout: PATIENCE,
        header_timeout: PATIENCE,
        idle_timeout: PATIENCE,
        body_timeout: PATIENCE,
        min_body_rate: 0,
        body_grace: PATIENCE,
        write_timeout: PATIENCE,
        max_header_bytes: 16 * 1024,
        max_headers: 50,
        max_target_bytes: 4096,
        max_body_bytes: 1024 * 1024,
        trusted_proxies: Vec::new(),
        recent_requests: 100,
        access_log: AccessLog { enabled: true, sample: 1.0, failures_from: 400, slow: Duration::ZERO },
        forwarded_header: ForwardedHeader::XForwardedFor,
        proxy_protocol: Vec::new(),
        drain_timeout: PATIENCE,
        http3: false,
        http2: Http2 {
            max_concurrent_streams: 100,
            max_pending_resets: 20,
            max_error_resets: 100,
            ping_interval: PATIENCE,
            ping_timeout: PATIENCE,
        },
        https: Https { redirect: false, port: 0, hsts: Duration::ZERO, hsts_subdomains: false, hsts_preload: false },
        client_certificates: ClientCertificates::default(),
        rate_limits: RateLimits { address: off, key: off, account: off, tenant: off, max_entries: 1000 },
        limits: Vec::new(),
        routing: RoutingConfig { file: String::new(), tunnel_idle: PATIENCE },
        cache: CacheConfig {
            memory: 16 << 20,
            max_object: 1 << 20,
            in_flight: 4 << 20,
            max_revalidations: 4,
            revalidate_timeout: PATIENCE,
            body_timeout: PATIENCE,
            disk: 0,
            disk_path: String::new(),
            disk_from: 64 << 10,
        },
    }
}

/// See the paths in [`App::call`].
pub(crate) struct TestApp {
    pub(crate) calls: AtomicUsize,
    /// `/wait` takes a permit, `/stream` takes one in its midst.
    pub(crate) gate: Arc<Semaphore>,
    /// Answers of `/big` that were dropped.
    pub(crate) dropped: Arc<Semaphore>,
}

impl App for TestApp {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match request.uri().path() {
            "/echo" => echo(request).await,
            "/big" => Response::new(big(Dropped(Arc::clone(&self.dropped)))),
            "/wait" => {
                self.gate.acquire().await.unwrap().forget();
                text("waited")
            }
            "/stream" => Response::new(pausing(Arc::clone(&self.gate))),
            "/never" => std::future::pending().await,
            "/panic" => panic!("on purpose"),
            "/info" => info(&request),
            "/unread" => text("did not read"),
            "/upgrade" => upgrade(request),
            path => text(path.to_owned()),
        }
    }

    fn rate_key(&self, head: &request::Parts) -> Option<u64> {
        head.headers.get(header::AUTHORIZATION).map(|value| u64::from(value.as_bytes()[0]))
    }

    fn max_body_bytes(&self, head: &request::Parts) -> Option<u64> {
        (head.uri.query() == Some("small")).then_some(10)
    }
}

pub(crate) fn text(text: impl Into<Bytes>) -> Response<ResponseBody> {
    Response::new(Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed())
}

async fn echo(request: Request<EdgeBody>) -> Response<ResponseBody> {
    match request.into_body().collect().await {
        Ok(body) => text(body.to_bytes()),
        Err(error) => {
            let reason = BodyError::of(&error).unwrap();
            let mut response = text(reason.code());
            *response.status_mut() = http::StatusCode::from_u16(reason.status()).unwrap();
            response
        }
    }
}

struct Dropped(Arc<Semaphore>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

fn big(dropped: Dropped) -> ResponseBody {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = stream::unfold((0, dropped), move |(sent, dropped)| {
        let piece = piece.clone();
        async move { (sent < BIG).then(|| (Ok::<_, io::Error>(Frame::data(piece.clone())), (sent + piece.len(), dropped))) }
    });
    BodyExt::boxed(StreamBody::new(sync_wrapper(pieces)))
}

/// One piece, a pause, another piece.
fn pausing(gate: Arc<Semaphore>) -> ResponseBody {
    let pieces = stream::unfold(0, move |sent| {
        let gate = Arc::clone(&gate);
        async move {
            if sent == 1 {
                gate.acquire().await.unwrap().forget();
            }
            (sent < 2).then(|| (Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"piece"))), sent + 1))
        }
    });
    BodyExt::boxed(StreamBody::new(sync_wrapper(pieces)))
}

/// `boxed` wants `Sync`; a stream that is only ever polled by its owner may have it through a lock.
pub(crate) fn sync_wrapper<S: stream::Stream + Send + 'static>(
    stream: S,
) -> impl stream::Stream<Item = S::Item> + Send + Sync + 'static {
    let stream = std::sync::Mutex::new(Box::pin(stream));
    stream::poll_fn(move |cx| stream.lock().unwrap().as_mut().poll_next(cx))
}

fn info(request: &Request<EdgeBody>) -> Response<ResponseBody> {
    let info = request.extensions().get::<EdgeInfo>().unwrap();
    let host = info.host.as_deref().unwrap_or("-");
    let forwarded = request.headers().get("x-forwarded-for").is_some();
    text(format!(
        "client={} scheme={} host={host} listener={} sni={} forwarded={forwarded} certificate={} id={}",
        info.client_addr,
        info.scheme.as_str(),
        info.listener.as_str(),
        info.sni.as_deref().unwrap_or("-"),
        info.client_certificate.is_some(),
        info.request_id,
    ))
}

fn upgrade(request: Request<EdgeBody>) -> Response<ResponseBody> {
    tokio::spawn(async move {
        let mut stream = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut buffer = vec![0; 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..length]).await.unwrap();
        }
    });
    let response = Response::builder().status(101).header("connection", "upgrade").header("upgrade", "test");
    response.body(text("").into_body()).unwrap()
}

/// A running edge; drained when the test calls for it, gone with the runtime else.
pub(crate) struct Running {
    pub(crate) edge: Edge,
    pub(crate) app: Arc<TestApp>,
    pub(crate) http: SocketAddr,
    pub(crate) journal: Arc<Journal>,
}

pub(crate) fn start(config: Config) -> Running {
    let journal = journal(&config);
    let edge = Edge::with_journal(config, Arc::clone(&journal)).unwrap();
    let app = Arc::new(TestApp {
        calls: AtomicUsize::new(0),
        gate: Arc::new(Semaphore::new(0)),
        dropped: Arc::new(Semaphore::new(0)),
    });
    let listener = Listener::http(any_port()).unwrap();
    let http = listener.local_addr();
    edge.serve(listener, Arc::clone(&app));
    Running { edge, app, http, journal }
}

pub(crate) fn journal(config: &Config) -> Arc<Journal> {
    Journal::new(config.access_log, config.recent_requests, SystemTime::now, None)
}

pub(crate) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

impl Running {
    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.http).await.unwrap(), read: Vec::new() }
    }

    /// Sends bytes on a new connection and reads until the edge closes it.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(bytes).await;
        client.rest().await
    }

    pub(crate) fn calls(&self) -> usize {
        self.app.calls.load(Ordering::SeqCst)
    }
}

/// A client that sees every byte.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

/// One answer, taken apart as far as tests need.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The edge may have refused and closed while bytes are still on their way.
        let sent = self.stream.write_all(bytes.as_ref()).await;
        drop(sent);
    }

    /// Everything until the connection closes.
    pub(crate) async fn rest(&mut self) -> String {
        let read = async {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = self.stream.read(&mut buffer).await {
                self.read.extend_from_slice(&buffer[..length]);
            }
        };
        timeout(PATIENCE, read).await.expect("the edge closes the connection");
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }

    /// So many bytes, whatever they are.
    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        let read = async {
            while self.read.len() < length {
                assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "closed");
            }
        };
        timeout(PATIENCE, read).await.expect("bytes");
        self.read.drain(..length).collect()
    }

    /// The next answer with a `Content-Length` (or none).
    pub(crate) async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.next_answer()).await.expect("an answer")
    }

    async fn next_answer(&mut self) -> Answer {
        loop {
            if let Some(answer) = self.take_answer() {
                return answer;
            }
            let length = self.stream.read_buf(&mut self.read).await.unwrap();
            assert_ne!(length, 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
        }
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let end = self.read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if self.read.len() < end + length {
            return None;
        }
        answer.body = String::from_utf8(self.read[end..end + length].to_vec()).unwrap();
        self.read.drain(..end + length);
        Some(answer)
    }
}
