//! An edge with routes, and services behind it.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use gateway::{Config, Edge, Listener, Router, RoutesFile, Routing};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time::timeout};

use crate::support::{Answer, Client, PATIENCE, Running, TestApp, any_port, journal};

pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// A service behind the edge; ends with its value.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) calls: Arc<AtomicUsize>,
    /// The headers of the last request.
    pub(crate) seen: Arc<Mutex<HeaderMap>>,
    _tasks: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind(any_port()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, seen) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<HeaderMap>>::default());
        let (counted, kept) = (Arc::clone(&calls), Arc::clone(&seen));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, counted, kept) = (answer.clone(), Arc::clone(&counted), Arc::clone(&kept));
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        counted.fetch_add(1, Ordering::SeqCst);
                        kept.lock().unwrap().clone_from(request.headers());
                        let answer = answer(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    let builder = http1::Builder::new().timer(TokioTimer::new()).clone();
                    drop(builder.serve_connection(TokioIo::new(stream), service).with_upgrades().await);
                });
            }
        });
        Self { address, calls, seen, _tasks: tasks }
    }

    /// Answers with this text and what was asked for.
    pub(crate) async fn named(name: &'static str) -> Self {
        Self::start(move |request| async move { plain(format!("{name} {}", request.uri())) }).await
    }

    /// Answers that may be cached for a minute, each with a number of its own.
    pub(crate) async fn cacheable() -> Self {
        let number = Arc::new(AtomicUsize::new(0));
        Self::start(move |_| {
            let number = number.fetch_add(1, Ordering::SeqCst);
            async move {
                let mut answer = plain(format!("answer {number}"));
                answer.headers_mut().insert("cache-control", "max-age=60".parse().unwrap());
                answer
            }
        })
        .await
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// `[pools.NAME]` with this service alone.
    pub(crate) fn pool(&self, name: &str) -> String {
        format!("[pools.{name}]\ntargets = [{{ url = \"http://{}\" }}]\n", self.address)
    }
}

pub(crate) fn plain(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed())
}

/// An edge with these routes.
pub(crate) struct Routed {
    pub(crate) running: Running,
    pub(crate) routing: Arc<Routing>,
}

pub(crate) fn routed(config: Config, routes: &str) -> Routed {
    furnished(config, routes, |routing| routing)
}

/// The same, with something more in the routing.
pub(crate) fn furnished(config: Config, routes: &str, furnish: impl FnOnce(Routing) -> Routing) -> Routed {
    let routing = Routing::open(&config, 7, SystemTime::now).unwrap();
    let routing = Arc::new(furnish(routing));
    routing.replace(RoutesFile::parse(routes).unwrap()).unwrap();
    let journal = journal(&config);
    let edge = Edge::with_journal(config, Arc::clone(&journal)).unwrap();
    let app = Arc::new(TestApp {
        calls: AtomicUsize::new(0),
        gate: Arc::new(Semaphore::new(0)),
        dropped: Arc::new(Semaphore::new(0)),
    });
    let listener = Listener::http(any_port()).unwrap();
    let http = listener.local_addr();
    edge.serve(listener, Arc::new(Router::new(Arc::clone(&routing), Arc::clone(&app))));
    Routed { running: Running { edge, app, http, journal }, routing }
}

impl Routed {
    pub(crate) async fn connect(&self) -> Client {
        self.running.connect().await
    }

    /// A GET with further header lines, on a connection of its own.
    pub(crate) async fn get(&self, target: &str, lines: &str) -> Answer {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n{lines}\r\n")).await
    }

    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request).await;
        client.answer().await
    }
}

/// Waits until it holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within the test's patience: {what}"));
}
