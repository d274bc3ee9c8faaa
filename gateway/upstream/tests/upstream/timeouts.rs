//! Each phase has its time.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

use crate::support::{Upstream, context, fixture, get, in_front_of, post, urls};

/// A listener whose backlog is full: it drops further SYNs.
pub(crate) struct BlackHole {
    pub(crate) address: SocketAddr,
    _listener: OwnedFd,
    _filling: Vec<TcpStream>,
}

pub(crate) fn black_hole() -> BlackHole {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    bind(&listener, &any).unwrap();
    listen(&listener, 0).unwrap();
    let address = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
    let mut filling = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        filling.push(stream);
    }
    BlackHole { address, _listener: listener, _filling: filling }
}

#[tokio::test]
async fn a_target_that_drops_connections_is_given_up_in_time() {
    let hole = black_hole();
    let fixture = fixture(&urls([&hole.address]), r#""timeouts": {"connect": "100ms"}, "retry": {"attempts": 0}"#);

    assert_eq!(fixture.text(get("/")).await, Err("edge.upstream_connect_timeout"));
    let target = &fixture.status().targets[0];
    assert_eq!((target.failures, target.in_flight, target.connections), (1, 0, 0));
    assert!(target.last_error.as_ref().unwrap().sentence.contains("127.0.0.1"));
}

#[tokio::test]
async fn a_head_that_never_comes_is_given_up_in_time() {
    let upstream = Upstream::start(|_| std::future::pending()).await;
    for scheme in ["http", "h2c"] {
        let url = format!("{scheme}://{}", upstream.address);
        let fixture = fixture(&[url], r#""timeouts": {"response_head": "50ms"}, "retry": {"attempts": 0}"#);
        let error = fixture.send(get("/")).await.unwrap_err();
        assert_eq!((error.code(), error.status()), ("edge.upstream_timeout", 504));
        assert_eq!(fixture.status().targets[0].idle_connections, usize::from(scheme == "h2c"));
    }
}

#[tokio::test]
async fn a_body_that_stops_is_given_up_in_time() {
    let upstream = Upstream::start(|_| async {
        let start = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"start")))]);
        Response::new(StreamBody::new(start.chain(stream::pending())).boxed_unsync())
    })
    .await;
    for scheme in ["http", "h2c"] {
        let url = format!("{scheme}://{}", upstream.address);
        let fixture = fixture(&[url], r#""timeouts": {"between_frames": "50ms"}"#);
        assert_eq!(fixture.text(get("/")).await, Err("edge.upstream_timeout"));
        assert_eq!(fixture.status().targets[0].failures, 1);
    }
}

#[tokio::test]
async fn the_whole_has_a_limit_and_the_caller_a_deadline() {
    let upstream = Upstream::start(|request: Request<Incoming>| async move {
        if request.uri().path() == "/never" {
            std::future::pending::<()>().await;
        }
        let dripping = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"."))), ()))
        });
        Response::new(StreamBody::new(dripping).boxed_unsync())
    })
    .await;
    let limited = in_front_of(&[&upstream], r#""timeouts": {"whole": "100ms"}"#);
    assert_eq!(limited.text(get("/")).await, Err("edge.upstream_timeout"));

    let fixture = in_front_of(&[&upstream], "");
    let mut hurried = context();
    hurried.deadline = Some(tokio::time::Instant::now() + Duration::from_millis(50));
    let error = fixture.pool.send(get("/never"), hurried).await.unwrap_err();
    assert_eq!(error.code(), "edge.upstream_timeout");
    assert_eq!(upstream.seen.requests(), 2);
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_head_if_it_moves() {
    let upstream = Upstream::echo().await;
    let fixture = in_front_of(&[&upstream], r#""timeouts": {"response_head": "300ms", "between_frames": "2s"}"#);
    let slowly = stream::unfold(0, |sent| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (sent < 8).then(|| (Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"."))), sent + 1))
    });
    let request = Request::builder().method("POST").uri("/").header("host", "a");
    let request = request.body(StreamBody::new(slowly).boxed_unsync()).unwrap();

    assert_eq!(fixture.text(request).await, Ok((200, "........".to_owned())));
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_bad_gateway() {
    for answer in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ] {
        let upstream = Upstream::accepting(crate::support::listen().await, move |mut stream, _| async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut buffer = [0; 1024];
            drop(stream.read(&mut buffer).await);
            drop(stream.write_all(answer.as_bytes()).await);
            std::future::pending::<()>().await;
        });
        let fixture = in_front_of(&[&upstream], r#""retry": {"attempts": 0}"#);
        assert_eq!(fixture.text(post("/", "x")).await, Err("edge.upstream_answer"), "{answer}");
    }
}
