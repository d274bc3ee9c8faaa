//! Upstream servers, and pools in front of them.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use edge_upstream::{
    Environment, Forwarding, Pool, PoolStatus, Pools, PublicAddresses, SystemResolver, UpstreamBody, UpstreamError,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed_unsync()
}

pub(crate) fn text(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(full(text))
}

/// A server that answers as told; gone when dropped.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

/// What a server has been asked.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// How often each `x-id` came.
    ids: Mutex<HashMap<String, usize>>,
}

impl Seen {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn note<B>(&self, request: &Request<B>) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some(id) = request.headers().get("x-id") {
            *self.ids.lock().unwrap().entry(id.to_str().unwrap().to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn ids(&self) -> HashMap<String, usize> {
        self.ids.lock().unwrap().clone()
    }
}

pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

impl Upstream {
    /// A server of HTTP/1.1 and HTTP/2 in the clear.
    pub(crate) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::on(listen().await, answer)
    }

    pub(crate) fn on<F, A>(listener: TcpListener, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::accepting(listener, move |stream, seen| serve(stream, seen, answer.clone()))
    }

    /// A server that does with connections what it is told.
    pub(crate) fn accepting<F, A>(listener: TcpListener, accept: F) -> Self
    where
        F: Fn(TcpStream, Arc<Seen>) -> A + Send + Sync + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let kept = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                kept.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(accept(stream, Arc::clone(&kept)));
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// Answers with the body it was sent.
    pub(crate) async fn echo() -> Self {
        Self::start(|request: Request<Incoming>| async move {
            let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            text(body)
        })
        .await
    }
}

pub(crate) async fn serve<S, F, A>(stream: S, seen: Arc<Seen>, answer: F)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        seen.note(&request);
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    drop(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
}

/// A pool over these addresses, with further settings as members of a JSON object.
pub(crate) fn settings(urls: &[String], more: &str) -> edge_upstream::config::PoolConfig {
    let targets: Vec<_> = urls.iter().map(|url| format!(r#"{{"url": "{url}"}}"#)).collect();
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    let json = format!(r#"{{"targets": [{}], "reach": "anywhere"{more}}}"#, targets.join(", "));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

pub(crate) fn urls<'a>(upstreams: impl IntoIterator<Item = &'a SocketAddr>) -> Vec<String> {
    upstreams.into_iter().map(|address| format!("http://{address}")).collect()
}

pub(crate) fn pools() -> Pools {
    let policy = Arc::new(PublicAddresses::default());
    Pools::new(Environment { policy, resolver: Arc::new(SystemResolver), seed: 42 })
}

/// The one pool of a test.
pub(crate) struct Fixture {
    pub(crate) pools: Pools,
    pub(crate) pool: Arc<Pool>,
}

pub(crate) fn fixture(urls: &[String], more: &str) -> Fixture {
    let pools = pools();
    pools.replace(BTreeMap::from([("p".to_owned(), settings(urls, more))])).unwrap();
    let pool = pools.get("p").unwrap();
    Fixture { pools, pool }
}

pub(crate) fn in_front_of(upstreams: &[&Upstream], more: &str) -> Fixture {
    fixture(&urls(upstreams.iter().map(|upstream| &upstream.address)), more)
}

pub(crate) fn context() -> Forwarding {
    Forwarding::new(Ipv4Addr::new(203, 0, 113, 7).into(), "https")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    let request = Request::builder().uri(path).header("host", "example.com");
    request.body(http_body_util::Empty::new().boxed_unsync()).unwrap()
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Body> {
    Request::builder().method("POST").uri(path).header("host", "example.com").body(full(body)).unwrap()
}

impl Fixture {
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<UpstreamBody>, UpstreamError> {
        timeout(PATIENCE, self.pool.send(request, context())).await.expect("an outcome")
    }

    /// The status and the whole body, or the error's code.
    pub(crate) async fn text(&self, request: Request<Body>) -> Result<(u16, String), &'static str> {
        text_of(&self.pool, request).await
    }

    pub(crate) fn status(&self) -> PoolStatus {
        self.pool.status()
    }
}

pub(crate) async fn text_of(pool: &Pool, request: Request<Body>) -> Result<(u16, String), &'static str> {
    let answer = timeout(PATIENCE, pool.send(request, context())).await.expect("an outcome");
    let answer = answer.map_err(|error| error.code())?;
    let status = answer.status().as_u16();
    let body = timeout(PATIENCE, answer.into_body().collect()).await.expect("the body's end");
    let bytes = body.map_err(|error| error.code())?.to_bytes();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let poll = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, poll).await.is_ok(), "{what}");
}
