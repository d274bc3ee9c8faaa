//! What is sent again, and what is not.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::mpsc,
};

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::AsyncReadExt;

use crate::support::{Body, Fixture, Upstream, fixture, get, in_front_of, listen, post, text, urls};

/// Executes what it is told and hangs up without an answer.
async fn executing_and_silent() -> Upstream {
    Upstream::accepting(listen().await, |mut stream, seen| async move {
        let mut bytes = vec![0; 4096];
        let Ok(length @ 1..) = stream.read(&mut bytes).await else { return };
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let id = text.lines().find_map(|line| line.strip_prefix("x-id: ")).unwrap_or("none").to_owned();
        seen.note(&Request::builder().header("x-id", id).body(()).unwrap());
    })
}

fn identified(mut request: Request<Body>, id: &str) -> Request<Body> {
    request.headers_mut().insert("x-id", id.parse().unwrap());
    request
}

async fn refused() -> String {
    format!("http://{}", listen().await.local_addr().unwrap())
}

#[tokio::test]
async fn what_may_have_been_executed_goes_again_only_if_that_does_no_harm() {
    let upstreams = [executing_and_silent().await, executing_and_silent().await];
    let fixture = in_front_of(&[&upstreams[0], &upstreams[1]], r#""ejection": {"consecutive_failures": 0}"#);
    let times = |id: &str| {
        upstreams.iter().map(|upstream| upstream.seen.ids().get(id).copied().unwrap_or_default()).collect::<Vec<_>>()
    };

    for number in 0..20 {
        let id = format!("post-{number}");
        assert_eq!(fixture.text(identified(post("/", "x"), &id)).await, Err("edge.upstream_reset"));
        assert_eq!(times(&id).iter().sum::<usize>(), 1, "{id}");
    }
    let mut empty = identified(get("/"), "empty-post");
    *empty.method_mut() = http::Method::POST;
    assert_eq!(fixture.text(empty).await, Err("edge.upstream_reset"));
    assert_eq!(times("empty-post").iter().sum::<usize>(), 1);

    assert_eq!(fixture.text(identified(get("/"), "get")).await, Err("edge.upstream_reset"));
    let mut seen = times("get");
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
}

#[tokio::test]
async fn a_request_that_was_not_sent_goes_elsewhere_whatever_it_is() {
    let upstream = Upstream::echo().await;
    let targets = [refused().await, refused().await, format!("http://{}", upstream.address)];
    let more = r#""balance": "round_robin", "ejection": {"consecutive_failures": 0}, "retry": {"min_retries": 100}"#;
    let fixture = fixture(&targets, more);

    for number in 0..30 {
        let body = format!("body {number}");
        assert_eq!(fixture.text(post("/", body.clone())).await, Ok((200, body)));
    }
    assert_eq!(upstream.seen.requests(), 30);
}

/// Answers each request and closes without a word, on a thread of its own; tells when it has.
fn closing() -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (closed, told) = mpsc::channel();
    std::thread::spawn(move || {
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut bytes, mut buffer) = (Vec::new(), [0; 1024]);
            while !bytes.ends_with(b"body") {
                let length = stream.read(&mut buffer).unwrap();
                assert_ne!(length, 0);
                bytes.extend_from_slice(&buffer[..length]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            drop(stream);
            if closed.send(()).is_err() {
                return;
            }
        }
    });
    (address, told)
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_loses_no_post() {
    let (address, closed) = closing();
    let fixture = fixture(&urls([&address]), r#""retry": {"attempts": 0}"#);

    for _ in 0..100 {
        assert_eq!(fixture.text(post("/", "body")).await, Ok((200, String::new())));
        // Blocks the runtime on purpose: it can't have heard of the end when the next request begins.
        closed.recv().unwrap();
    }
    assert_eq!(fixture.status().targets[0].failures, 0);
}

async fn answering(status: StatusCode) -> Upstream {
    Upstream::start(move |request: Request<Incoming>| async move {
        drop(request.into_body().collect().await);
        let mut answer = text(status.as_str().to_owned());
        *answer.status_mut() = status;
        answer
    })
    .await
}

#[tokio::test]
async fn an_answer_that_invites_it_is_asked_for_elsewhere() {
    let (bad, good) = (answering(StatusCode::SERVICE_UNAVAILABLE).await, answering(StatusCode::OK).await);
    let more = r#""balance": "round_robin", "ejection": {"consecutive_failures": 0}"#;
    let both = in_front_of(&[&bad, &good], more);
    for _ in 0..4 {
        assert_eq!(both.text(get("/")).await, Ok((200, "200".to_owned())));
    }
    let posts = [both.text(post("/", "x")).await, both.text(post("/", "x")).await];
    assert!(posts.contains(&Ok((503, "503".to_owned()))), "{posts:?}");

    let before = bad.seen.requests();
    let alone = in_front_of(&[&bad], more);
    assert_eq!(alone.text(get("/")).await, Ok((503, "503".to_owned())));
    assert_eq!(bad.seen.requests(), before + 1);
}

fn retries(fixture: &Fixture) -> u64 {
    fixture.status().targets.iter().map(|target| target.retries).sum()
}

#[tokio::test]
async fn in_an_outage_retries_stay_within_the_budget() {
    let bad = [answering(StatusCode::BAD_GATEWAY).await, answering(StatusCode::BAD_GATEWAY).await];
    let fixture = in_front_of(&[&bad[0], &bad[1]], "");
    for _ in 0..1000 {
        assert_eq!(fixture.text(get("/")).await, Ok((502, "502".to_owned())));
    }
    let asked: usize = bad.iter().map(|upstream| upstream.seen.requests()).sum();
    assert!(asked <= 1200, "{asked}");

    let refused = fixture_of_nothing().await;
    for _ in 0..1000 {
        assert_eq!(refused.text(get("/")).await, Err("edge.upstream_connect"));
    }
    let again = retries(&refused);
    assert!((100..=200).contains(&again), "{again}");
}

async fn fixture_of_nothing() -> Fixture {
    let nowhere = [listen().await.local_addr().unwrap(), listen().await.local_addr().unwrap()];
    fixture(&urls(&nowhere), "")
}
