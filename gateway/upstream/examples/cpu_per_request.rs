//! CPU time per proxied request over loopback.
//!
//! Starts an upstream and an edge in this process and a load in another one (itself, with `load`), and prints the CPU
//! time of the edge's threads alone for each request. The edge is hyper's server with [`Pool::send`] behind it; with
//! `direct` it answers by itself, so that the difference is what forwarding costs.
//!
//! `cargo run --release -p edge-upstream --example cpu_per_request -- [http|h2c|direct] [requests] [connections]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a service")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Command, ExitStatus},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use edge_upstream::{Environment, Forwarding, Pool, Pools};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::{net::TcpListener, runtime, sync::oneshot, task::JoinSet};

const BODY: &[u8] = &[b'x'; 1024];

type Body = BoxBody<Bytes, edge_upstream::UpstreamError>;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let argument = |index: usize, default: &str| arguments.get(index).cloned().unwrap_or_else(|| default.to_owned());
    if argument(0, "") == "load" {
        return load(
            argument(1, "").parse().unwrap(),
            argument(2, "").parse().unwrap(),
            argument(3, "").parse().unwrap(),
        );
    }
    let (mode, requests, connections) = (argument(0, "http"), argument(1, "200000"), argument(2, "32"));
    let upstream = start_upstream();
    let url = format!("{}://{upstream}", if mode == "h2c" { "h2c" } else { "http" });
    let edge = Edge::start(&mode, url);
    run_load(edge.address, "5000", &connections);

    let before = edge.cpu();
    let begin = Instant::now();
    let ended = run_load(edge.address, &requests, &connections);
    let (elapsed, cpu) = (begin.elapsed(), edge.cpu().saturating_sub(before));
    assert!(ended.success());
    let count: f64 = requests.parse().unwrap();
    println!(
        "{mode}: {:.2} µs CPU per request on the edge's thread, {:.0} requests a second over {connections} connections",
        cpu.as_secs_f64() * 1e6 / count,
        count / elapsed.as_secs_f64(),
    );
}

fn run_load(address: SocketAddr, requests: &str, connections: &str) -> ExitStatus {
    let own = env::current_exe().unwrap();
    Command::new(own).args(["load", &address.to_string(), requests, connections]).status().unwrap()
}

/// Asks over so many connections, as many requests on each.
fn load(address: SocketAddr, requests: usize, connections: usize) {
    let clients = (0..connections).map(|_| thread::spawn(move || client(address, requests / connections)));
    for client in clients.collect::<Vec<_>>() {
        client.join().unwrap();
    }
}

fn client(address: SocketAddr, requests: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    for _ in 0..requests {
        stream
            .write_all(b"GET /path HTTP/1.1\r\nHost: example.com\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n")
            .unwrap();
        let mut read = 0;
        loop {
            read += stream.read(&mut buffer[read..]).unwrap();
            let head = buffer[..read].windows(4).position(|window| window == b"\r\n\r\n");
            if head.is_some_and(|head| read >= head + 4 + BODY.len()) {
                break;
            }
        }
    }
}

fn start_upstream() -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let mut tasks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tasks.spawn(async move {
                    let answer = async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(BODY))));
                    let builder = auto::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
                });
            }
        });
    });
    told.recv().unwrap()
}

/// The edge on one thread, whose CPU clock can be read from outside.
struct Edge {
    address: SocketAddr,
    ask: tokio::sync::mpsc::UnboundedSender<oneshot::Sender<Duration>>,
}

impl Edge {
    fn start(mode: &str, url: String) -> Self {
        let direct = mode == "direct";
        let (tell, told) = std::sync::mpsc::channel();
        let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<oneshot::Sender<Duration>>();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let pools = Pools::new(Environment::guarded(1));
                let json = format!(r#"{{"targets": [{{"url": "{url}"}}], "reach": "anywhere"}}"#);
                let config = serde_json::from_str(&json).unwrap();
                pools.replace(BTreeMap::from([("p".to_owned(), config)])).unwrap();
                let pool = pools.get("p").unwrap();
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let mut tasks = JoinSet::new();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => {
                            let (stream, peer) = accepted.unwrap();
                            stream.set_nodelay(true).unwrap();
                            tasks.spawn(serve(stream, peer, Arc::clone(&pool), direct));
                        }
                        Some(answer) = asked.recv() => {
                            let used = clock_gettime(ClockId::ThreadCPUTime);
                            let seconds = Duration::from_secs(u64::try_from(used.tv_sec).unwrap());
                            answer.send(seconds + Duration::from_nanos(u64::try_from(used.tv_nsec).unwrap())).unwrap();
                        }
                    }
                }
            });
        });
        Self { address: told.recv().unwrap(), ask }
    }

    fn cpu(&self) -> Duration {
        let (answer, answered) = oneshot::channel();
        self.ask.send(answer).unwrap();
        answered.blocking_recv().unwrap()
    }
}

async fn serve(stream: tokio::net::TcpStream, peer: SocketAddr, pool: Arc<Pool>, direct: bool) {
    let service = service_fn(move |request: Request<Incoming>| {
        let pool = Arc::clone(&pool);
        async move {
            if direct {
                let body = Full::new(Bytes::from_static(BODY)).map_err(|never: Infallible| match never {});
                return Ok::<Response<Body>, edge_upstream::UpstreamError>(Response::new(body.boxed()));
            }
            let answer = pool.send(request, Forwarding::new(peer.ip(), "http")).await?;
            Ok(answer.map(BodyExt::boxed))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}
