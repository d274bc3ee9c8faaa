//! What arrives at the upstream, byte for byte.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Mutex,
};

use crate::support::{Body, Fixture, Upstream, context, in_front_of, listen};

/// Keeps the bytes of the last request, answers, and closes.
async fn recorder() -> (Upstream, Arc<Mutex<String>>) {
    let recorded = Arc::<Mutex<String>>::default();
    let kept = Arc::clone(&recorded);
    let upstream = Upstream::accepting(listen().await, move |mut stream, _| {
        let kept = Arc::clone(&kept);
        async move {
            let mut bytes = Vec::new();
            while !complete(&bytes) {
                let Ok(1..) = stream.read_buf(&mut bytes).await else { break };
            }
            *kept.lock().await = String::from_utf8_lossy(&bytes).into_owned();
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await);
        }
    });
    (upstream, recorded)
}

fn complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn request(method: &str, fields: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri("/a?b=c").body(body).unwrap();
    request.headers_mut().insert("host", HeaderValue::from_static("example.com"));
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

async fn arrived(fixture: &Fixture, recorded: &Mutex<String>, request: Request<Body>) -> String {
    let mut context = context();
    context.upgrades = true;
    drop(fixture.pool.send(request, context).await.unwrap());
    recorded.lock().await.clone()
}

fn known(body: &'static str) -> Body {
    Full::from(body).boxed_unsync()
}

fn unknown(body: &'static str) -> Body {
    let frame = Ok::<_, std::convert::Infallible>(http_body::Frame::data(body.into()));
    http_body_util::StreamBody::new(futures_util::stream::iter([frame])).boxed_unsync()
}

#[tokio::test]
async fn whatever_the_client_says_there_is_one_length_and_it_is_ours() {
    let (upstream, recorded) = recorder().await;
    let fixture = in_front_of(&[&upstream], "");
    let smuggled = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
    let hostile: [&[(&str, &str)]; 6] = [
        &[("content-length", "3"), ("transfer-encoding", "chunked")],
        &[("content-length", "3"), ("content-length", "37")],
        &[("transfer-encoding", "chunked, identity")],
        &[("transfer-encoding", "xchunked"), ("connection", "transfer-encoding, content-length")],
        &[("connection", "upgrade"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABk")],
        &[("connection", "upgrade, host"), ("upgrade", "websocket"), ("expect", "100-continue")],
    ];
    for fields in hostile {
        let head = |text: &str| text.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
        let field =
            |text: &str, name: &str| head(text).lines().filter(|line| line.starts_with(&format!("{name}:"))).count();

        let known = arrived(&fixture, &recorded, request("POST", fields, known(smuggled))).await;
        assert_eq!((field(&known, "content-length"), field(&known, "transfer-encoding")), (1, 0), "{known}");
        assert!(head(&known).contains(&format!("content-length: {}", smuggled.len())), "{known}");
        assert!(known.ends_with(&format!("\r\n\r\n{smuggled}")), "{known}");

        for method in ["GET", "POST", "DELETE"] {
            let unknown = arrived(&fixture, &recorded, request(method, fields, unknown(smuggled))).await;
            assert_eq!((field(&unknown, "content-length"), field(&unknown, "transfer-encoding")), (0, 1), "{unknown}");
            assert!(unknown.ends_with(&format!("{:X}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len())), "{unknown}");
        }
        for text in [known] {
            for name in ["upgrade", "http2-settings", "expect", "connection"] {
                assert_eq!(field(&text, name), 0, "{text}");
            }
            assert_eq!(field(&text, "host"), 1, "{text}");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_body_has_none_at_the_upstream() {
    let (upstream, recorded) = recorder().await;
    let fixture = in_front_of(&[&upstream], "");
    let fields = [("content-length", "50"), ("transfer-encoding", "chunked"), ("te", "trailers, gzip")];
    let empty = || http_body_util::Empty::new().boxed_unsync();

    let text = arrived(&fixture, &recorded, request("GET", &fields, empty())).await;
    assert_eq!(
        text.to_ascii_lowercase(),
        "get /a?b=c http/1.1\r\nx-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\n\
         x-forwarded-host: example.com\r\nvia: 1.1 holdfast\r\nhost: example.com\r\nte: trailers\r\n\
         connection: te\r\n\r\n"
    );
    let text = arrived(&fixture, &recorded, request("POST", &fields, empty())).await;
    assert!(text.to_ascii_lowercase().contains("content-length: 0\r\n") && text.ends_with("\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn an_absolute_target_becomes_a_path() {
    let (upstream, recorded) = recorder().await;
    let fixture = in_front_of(&[&upstream], "");
    let mut absolute = request("GET", &[], http_body_util::Empty::new().boxed_unsync());
    *absolute.uri_mut() = "http://other.test:99/x?y".parse().unwrap();

    let text = arrived(&fixture, &recorded, absolute).await;
    assert!(text.starts_with("GET /x?y HTTP/1.1\r\n") && text.contains("host: example.com\r\n"), "{text}");

    let mut connect = request("GET", &[], http_body_util::Empty::new().boxed_unsync());
    *connect.method_mut() = http::Method::CONNECT;
    assert_eq!(fixture.text(connect).await, Err("edge.not_forwardable"));
}
