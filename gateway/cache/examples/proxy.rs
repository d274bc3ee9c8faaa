//! A plain reverse proxy with the cache on, for the conformance suite `http-cache-tests` (see bench/README.md):
//! `cargo run -p edge-cache --example proxy -- LISTEN ORIGIN`, such as `127.0.0.1:8001 127.0.0.1:8000`.

use std::{convert::Infallible, env, error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use edge_cache::{Cache, CacheBody, Clock, Config, DiskConfig, Policy, Scheme, Scope};
use http::{HeaderName, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

type Body = BoxBody<Bytes, hyper::Error>;
type Failure = Box<dyn Error + Send + Sync>;

const MIB: u64 = 1024 * 1024;
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let mut address = || arguments.next().ok_or("usage: proxy LISTEN ORIGIN [--safe-cookies] [--disk FOLDER]");
    let (listen, origin): (SocketAddr, SocketAddr) = (address()?.parse()?, address()?.parse()?);
    let (mut keeps_cookies, mut folder) = (true, None);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--disk" => folder = arguments.next(),
            _ => keeps_cookies = false,
        }
    }
    let on_disk = folder.is_some();
    let policy = Arc::new(Policy { store_cookies: keeps_cookies, ..Policy::default() });
    let config = Config {
        memory_bytes: 64 * MIB,
        max_object_bytes: 4 * MIB,
        in_flight_bytes: 64 * MIB,
        max_revalidations: 64,
        revalidate_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(10),
        disk: folder.map(|path| DiskConfig { path: path.into(), bytes: 1024 * MIB, written_from: 0 }),
    };
    #[expect(clippy::disallowed_methods, reason = "the example is its own composition root")]
    let cache = Cache::new(config, Clock::new(std::time::SystemTime::now));
    if on_disk {
        cache.opened().await;
        cache.note_purge(0).await;
    }
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (cache, policy) = (cache.clone(), Arc::clone(&policy));
        let service = service_fn(move |request| {
            let (cache, policy) = (cache.clone(), Arc::clone(&policy));
            async move { Ok::<_, Infallible>(answer(&cache, &policy, origin, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        #[expect(clippy::disallowed_methods, reason = "the example ends with its process")]
        tokio::spawn(connection);
    }
}

async fn answer(
    cache: &Cache,
    policy: &Arc<Policy>,
    origin: SocketAddr,
    request: Request<Incoming>,
) -> Response<CacheBody<Body>> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scope = Scope::new(Uuid::nil(), Scheme::Http, host);
    let ask = move |request| async move {
        forward(origin, request).await.unwrap_or_else(|_| {
            let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed());
            *answer.status_mut() = StatusCode::BAD_GATEWAY;
            answer
        })
    };
    cache.serve(&scope, policy, request, ask).await
}

async fn forward(origin: SocketAddr, mut request: Request<Incoming>) -> Result<Response<Body>, Failure> {
    HOP.iter().for_each(|name| drop(request.headers_mut().remove(name)));
    let stream = TcpStream::connect(origin).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with its one answer")]
    tokio::spawn(async move { connection.await.map_err(io::Error::other) });
    let mut answer = sender.send_request(request).await?;
    let named: Vec<String> = answer
        .headers()
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| line.to_str().unwrap_or_default().split(',').map(|name| name.trim().to_owned()))
        .collect();
    named.iter().for_each(|name| drop(answer.headers_mut().remove(name.as_str())));
    HOP.iter().for_each(|name| drop(answer.headers_mut().remove(name)));
    Ok(answer.map(BodyExt::boxed))
}
