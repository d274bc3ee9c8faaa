//! Requests and answers pass as they are.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use edge_upstream::UpstreamError;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use crate::support::{Upstream, context, get, in_front_of, post, text};

#[tokio::test]
async fn bodies_pass_both_ways_and_connections_are_used_again() {
    let upstream = Upstream::echo().await;
    let fixture = in_front_of(&[&upstream], "");

    for size in [0, 1, 1000, 3_000_000] {
        let sent = "x".repeat(size);
        assert_eq!(fixture.text(post("/", sent.clone())).await, Ok((200, sent)));
    }
    for _ in 0..20 {
        assert_eq!(fixture.text(get("/")).await, Ok((200, String::new())));
    }

    assert_eq!((upstream.seen.requests(), upstream.seen.connections()), (24, 1));
    let status = fixture.status();
    assert_eq!((status.in_flight, status.targets[0].in_flight, status.targets[0].idle_connections), (0, 0, 1));
    assert_eq!(status.targets[0].requests, 24);
}

#[tokio::test]
async fn a_head_request_keeps_the_length_and_has_no_body() {
    let upstream = Upstream::start(|_| async { text("12345") }).await;
    let fixture = in_front_of(&[&upstream], "");

    for _ in 0..2 {
        let mut request = get("/");
        *request.method_mut() = http::Method::HEAD;
        let answer = fixture.send(request).await.unwrap();
        assert_eq!(answer.headers()["content-length"], "5");
        assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    assert_eq!(upstream.seen.connections(), 1);
}

#[tokio::test]
async fn the_upstream_learns_who_asks_and_the_host_as_set() {
    let upstream = Upstream::start(|request: Request<Incoming>| async move {
        let field = |name: &str| request.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let names = ["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via"];
        text(names.map(field).join(" "))
    })
    .await;
    let told = async |more: &str| in_front_of(&[&upstream], more).text(get("/")).await.unwrap().1;

    let rest = "203.0.113.7 https example.com 1.1 holdfast";
    assert_eq!(told("").await, format!("example.com {rest}"));
    assert_eq!(told(r#""host": "target""#).await, format!("{} {rest}", upstream.address));
    assert_eq!(told(r#""host": {"fixed": "a.test:81"}"#).await, format!("a.test:81 {rest}"));
}

#[tokio::test]
async fn a_stream_passes_frame_by_frame() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let upstream = Upstream::start(move |_| {
        let gate = Arc::clone(&held);
        let events = stream::unfold(0, move |sent| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                (sent < 3)
                    .then(|| (Ok::<_, Infallible>(Frame::data(Bytes::from(format!("data: {sent}\n\n")))), sent + 1))
            }
        });
        async { Response::new(StreamBody::new(events).boxed_unsync()) }
    })
    .await;
    for more in ["", r#""timeouts": {"whole": "20s"}"#] {
        let fixture = in_front_of(&[&upstream], more);
        let mut body = fixture.send(get("/events")).await.unwrap().into_body();
        for number in 0..3 {
            gate.add_permits(1);
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), format!("data: {number}\n\n"));
        }
        gate.add_permits(1);
        assert!(body.frame().await.is_none());
        assert_eq!(fixture.status().targets[0].in_flight, 0);
    }
}

#[tokio::test]
async fn an_upload_passes_as_it_comes_and_its_own_error_is_told_apart() {
    let upstream = Upstream::echo().await;
    let fixture = in_front_of(&[&upstream], "");
    let pieces = |error: bool| {
        let parts = (0..5).map(move |number| {
            if error && number == 3 {
                Err("the client left")
            } else {
                Ok(Frame::data(Bytes::from(format!("{number}"))))
            }
        });
        StreamBody::new(stream::iter(parts))
    };
    let request = |error| Request::builder().method("POST").uri("/").header("host", "a").body(pieces(error)).unwrap();

    let answer = fixture.pool.send(request(false), context()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "01234");
    let error = fixture.pool.send(request(true), context()).await.unwrap_err();
    let UpstreamError::RequestBody(cause) = error else { panic!("{error:?}") };
    let mut next: Option<&dyn std::error::Error> = Some(&*cause);
    let mut found = false;
    while let Some(error) = next {
        found |= error.to_string() == "the client left";
        next = error.source();
    }
    assert!(found, "{cause:?}");
    assert_eq!(fixture.status().targets[0].failures, 0);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let upstream = Upstream::start(|request: Request<Incoming>| async move {
        let trailers = request.headers().get("te").is_some_and(|te| te == "trailers");
        let collected = request.into_body().collect().await.unwrap();
        let sent = collected.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
        assert!(trailers);
        let back = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), sent.unwrap())]);
        let frames = [Ok(Frame::data(Bytes::from_static(b"answer"))), Ok(Frame::trailers(back))];
        let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
        Response::builder().header("trailer", "grpc-status").body(body).unwrap()
    })
    .await;
    for scheme in ["http", "h2c"] {
        let fixture = crate::support::fixture(&[format!("{scheme}://{}", upstream.address)], "");
        let sum = HeaderMap::from_iter([(http::HeaderName::from_static("x-sum"), HeaderValue::from_static("7"))]);
        let body = StreamBody::new(stream::iter([
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"question"))),
            Ok(Frame::trailers(sum)),
        ]));
        let request = Request::builder().method("POST").uri("/").header("host", "a").header("te", "trailers");
        let request = request.header("trailer", "x-sum").body(body).unwrap();

        let answer = fixture.pool.send(request, context()).await.unwrap();
        let collected = answer.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "7", "{scheme}");
        assert_eq!(collected.to_bytes(), "answer");
    }
}
