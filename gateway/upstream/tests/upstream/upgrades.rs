//! Leaving HTTP: bytes pass only after the 101.

use std::{io, time::Duration};

use edge_upstream::tunnel;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, service::service_fn, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::support::{Body, Fixture, Upstream, context, eventually, full, in_front_of, listen, text};

async fn upstream() -> Upstream {
    Upstream::start(|mut request: Request<Incoming>| async move {
        if request.uri().path() == "/refuse" {
            return text("no");
        }
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.unwrap().await.unwrap());
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..length]).await.unwrap();
            }
            stream.shutdown().await.unwrap();
        });
        let answer = Response::builder().status(101).header("connection", "upgrade").header("upgrade", "test");
        answer.body(full("")).unwrap()
    })
    .await
}

fn upgrading(path: &str) -> Request<Body> {
    let request = Request::builder().uri(path).header("host", "a").header("connection", "upgrade");
    request.header("upgrade", "test").body(Empty::new().boxed_unsync()).unwrap()
}

/// An edge: a server that forwards and tunnels. What tunnels end with is kept.
async fn edge(
    fixture: Fixture,
    idle: Duration,
) -> (TcpStream, tokio::sync::mpsc::UnboundedReceiver<io::Result<u64>>, JoinSet<()>) {
    let listener = listen().await;
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (ends, ended) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let service = service_fn(|mut request: Request<Incoming>| {
            let (fixture, ends) = (&fixture, ends.clone());
            async move {
                let own = request.extensions_mut().remove::<OnUpgrade>();
                let mut context = context();
                context.upgrades = true;
                let mut answer = fixture.pool.send(request, context).await?;
                if let (Some(own), Some(theirs)) = (own, answer.extensions_mut().remove::<OnUpgrade>()) {
                    tokio::spawn(async move {
                        let (client, upstream) = (own.await.unwrap(), theirs.await.unwrap());
                        ends.send(tunnel(client, upstream, idle).await.map(|tunnelled| tunnelled.to_client)).unwrap();
                    });
                }
                Ok::<_, edge_upstream::UpstreamError>(answer)
            }
        });
        let http1 = hyper::server::conn::http1::Builder::new();
        drop(http1.serve_connection(TokioIo::new(stream), service).with_upgrades().await);
        std::future::pending::<()>().await;
    });
    (client, ended, tasks)
}

async fn until(client: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        assert_ne!(client.read_buf(&mut bytes).await.unwrap(), 0, "{}", String::from_utf8_lossy(&bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn after_a_101_bytes_pass_as_they_are_and_the_end_as_well() {
    let upstream = upstream().await;
    let fixture = in_front_of(&[&upstream], "");
    let pool = fixture.pools.get("p").unwrap();
    let (mut client, mut ended, _edge) = edge(fixture, Duration::from_secs(20)).await;

    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: test\r\n\r\nearly").await.unwrap();
    let head = until(&mut client, "early").await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("upgrade: test\r\n"), "{head}");
    assert_eq!(pool.status().targets[0].in_flight, 1);
    client.write_all(b"\0\r\n\r\nlate").await.unwrap();
    until(&mut client, "late").await;
    client.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(ended.recv().await.unwrap().unwrap(), 14);
    eventually("the place is given back", || pool.status().targets[0].in_flight == 0).await;
}

#[tokio::test]
async fn without_a_101_nothing_that_follows_reaches_the_upstream_unread() {
    let upstream = upstream().await;
    let fixture = in_front_of(&[&upstream], "");
    let (mut client, _ended, _edge) = edge(fixture, Duration::from_secs(20)).await;

    let first = "GET /refuse HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: test\r\n\r\n";
    client.write_all(format!("{first}GET /smuggled HTTP/1.1\r\nx: y\r\n\r\n").as_bytes()).await.unwrap();
    let answers = until(&mut client, "no").await;
    assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
    eventually("the second is a request of its own", || upstream.seen.requests() == 2).await;
}

#[tokio::test]
async fn an_upgrade_that_is_not_allowed_is_an_ordinary_request() {
    let upstream = Upstream::start(|request: Request<Incoming>| async move {
        text(format!("{}", request.headers().contains_key("upgrade")))
    })
    .await;
    let fixture = in_front_of(&[&upstream], "");

    assert_eq!(fixture.text(upgrading("/")).await, Ok((200, "false".to_owned())));
}

#[tokio::test]
async fn a_silent_tunnel_is_closed() {
    let upstream = upstream().await;
    let (mut client, mut ended, _edge) = edge(in_front_of(&[&upstream], ""), Duration::from_millis(50)).await;

    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: test\r\n\r\n").await.unwrap();
    until(&mut client, "\r\n\r\n").await;
    assert_eq!(ended.recv().await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
}
