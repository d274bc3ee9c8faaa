//! The same rules over HTTP/2, by prior knowledge.

use std::time::Duration;

use bytes::Bytes;
use gateway::Config;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::support::{PATIENCE, Running, config, start};

type Sender = SendRequest<Full<Bytes>>;

async fn connect(running: &Running) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let tcp = TcpStream::connect(running.http).await.unwrap();
    let mut builder = Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(16 * 1024).initial_connection_window_size(16 * 1024);
    let (sender, connection) = builder.handshake(TokioIo::new(tcp)).await.unwrap();
    (sender, tokio::spawn(connection))
}

async fn send(sender: &mut Sender, request: http::request::Builder, body: &'static str) -> Response<Incoming> {
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
    timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn requests_pass_with_the_authority_as_host_and_others_are_refused() {
    let running = start(config());
    let (mut sender, _connection) = connect(&running).await;
    let get = |target: &str| Request::get(format!("http://Acme.localhost:8080{target}"));

    let info = text(send(&mut sender, get("/info"), "").await).await;
    assert!(info.contains("host=acme.localhost "), "{info}");
    let echoed = send(&mut sender, get("/echo").method("POST"), "body").await;
    assert_eq!(text(echoed).await, "body");
    let many = (0..60).fold(get("/x"), |request, n| request.header(format!("x-{n}"), "1"));
    for (request, status, code) in [
        (many, 431, "edge.too_many_headers"),
        (get(&format!("/{}", "x".repeat(5000))), 414, "edge.target_too_long"),
        (get("/x").header("host", "other"), 400, "edge.host_mismatch"),
        (get("/x").method("BREW"), 501, "edge.method_unknown"),
        (get("/x").method("TRACE"), 405, "edge.method_not_allowed"),
        (get("/echo?small").method("POST").header("content-length", "11"), 413, "edge.body_too_large"),
        (get("/panic"), 500, "edge.internal"),
    ] {
        let body = if status == 413 { "hello world" } else { "" };
        let response = send(&mut sender, request, body).await;
        assert_eq!(response.status().as_u16(), status, "{code}");
        assert!(response.headers().contains_key("x-request-id"), "{code}");
        assert!(text(response).await.contains(code), "{code}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_stream_is_cut() {
    let running = start(Config { write_timeout: Duration::from_millis(80), ..config() });
    let (mut sender, connection) = connect(&running).await;

    let unread = send(&mut sender, Request::get("http://a/big"), "").await;
    let closed = timeout(PATIENCE, connection).await;

    assert!(closed.is_ok(), "the connection is cut");
    assert_eq!(unread.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_application_that_takes_its_time_is_not_cut_and_an_idle_connection_is() {
    let short = Duration::from_millis(250);
    let running = start(Config { write_timeout: short, idle_timeout: short, header_timeout: short, ..config() });
    let (mut sender, connection) = connect(&running).await;

    let gate = running.app.clone();
    let opener = tokio::spawn(async move {
        sleep(short * 3).await;
        gate.gate.add_permits(1);
    });
    let waited = send(&mut sender, Request::get("http://a/wait"), "").await;
    assert_eq!(text(waited).await, "waited");
    opener.await.unwrap();
    let streamed = send(&mut sender, Request::get("http://a/stream"), "").await;
    let gate = running.app.clone();
    let opener = tokio::spawn(async move {
        sleep(short * 3).await;
        gate.gate.add_permits(1);
    });
    assert_eq!(text(streamed).await, "piecepiece");
    opener.await.unwrap();

    assert!(timeout(PATIENCE, connection).await.is_ok(), "idle connections close");
}

#[tokio::test]
async fn a_slow_body_is_cut() {
    let running = start(Config { body_timeout: Duration::from_millis(60), ..config() });
    let tcp = TcpStream::connect(running.http).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tcp)).await.unwrap();
    let _connection = tokio::spawn(connection);
    let silent = http_body_util::StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, std::io::Error>,
    >());

    let answer = sender.send_request(Request::post("http://a/echo").body(silent).unwrap());
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();

    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_drain_finishes_streams_and_says_goaway() {
    let running = start(config());
    let (mut sender, connection) = connect(&running).await;
    let mut second = sender.clone();
    assert_eq!(send(&mut sender, Request::get("http://a/x"), "").await.status(), 200);

    let waiting = tokio::spawn(async move { text(send(&mut second, Request::get("http://a/wait"), "").await).await });
    while running.calls() < 2 {
        sleep(Duration::from_millis(2)).await;
    }
    let edge = running.edge.clone();
    let drain = tokio::spawn(async move { edge.drain(PATIENCE).await });
    sleep(Duration::from_millis(20)).await;
    running.app.gate.add_permits(1);

    assert_eq!(waiting.await.unwrap(), "waited");
    assert_eq!(drain.await.unwrap().cut, 0);
    assert!(timeout(PATIENCE, connection).await.is_ok());
}

#[tokio::test]
async fn a_client_that_cancels_leaves_nothing_behind() {
    let running = start(config());
    let (mut sender, _connection) = connect(&running).await;

    for calls in 1..=50 {
        let never = Request::get("http://a/never").body(Full::new(Bytes::new())).unwrap();
        let waiting = tokio::spawn(sender.send_request(never));
        while running.calls() < calls {
            tokio::task::yield_now().await;
        }
        waiting.abort();
    }
    assert_eq!(send(&mut sender, Request::get("http://a/x"), "").await.status(), StatusCode::OK);

    assert_eq!(running.edge.drain(Duration::from_secs(5)).await.cut, 0);
}
