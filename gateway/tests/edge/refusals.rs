//! What is ambiguous or out of bounds never reaches the application.

use crate::support::{Running, config, start};

/// Request, status, code.
const REFUSED: &[(&str, u16, &str)] = &[
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "edge.length_with_coding",
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, "edge.length_twice"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "edge.length_twice"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400, "edge.length_invalid"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "edge.coding_unknown"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501, "edge.coding_unknown"),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        501,
        "edge.coding_unknown",
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \r\n\r\n", 501, "edge.coding_unknown"),
    ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "edge.coding_on_http_1_0"),
    ("GET / HTTP/1.1\r\n\r\n", 400, "edge.host_missing"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "edge.host_twice"),
    ("GET / HTTP/1.1\r\nHost: \r\n\r\n", 400, "edge.host_invalid"),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "edge.host_invalid"),
    ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "edge.host_invalid"),
    ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "edge.host_invalid"),
    ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400, "edge.host_invalid"),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "edge.host_invalid"),
    ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.host_mismatch"),
    ("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.host_mismatch"),
    ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.target"),
    ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.target"),
    ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.target"),
    ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.target"),
    ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.target"),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405, "edge.method_not_allowed"),
    ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405, "edge.method_not_allowed"),
    ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "edge.method_not_allowed"),
    ("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "edge.method_unknown"),
    ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "edge.method_unknown"),
    ("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505, "edge.version"),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "edge.version"),
    ("GET / http/1.1\r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    ("GET /\r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "edge.request_line"),
    ("nonsense\r\n\r\n", 400, "edge.request_line"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, "edge."),
    ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", 400, "edge.header_field"),
    ("GET / HTTP/1.1\nHost: a\n\n", 400, "edge.line_ending"),
    ("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", 400, "edge.line_ending"),
    ("GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417, "edge.expectation"),
];

async fn assert_refused(running: &Running, request: &str, status: u16, code: &str) {
    let shown = &request[..request.len().min(120)];
    let answer = running.raw(request).await;

    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?} got {answer:?}");
    assert!(answer.contains(&format!("\"code\":\"{code}")), "{shown:?} got {answer:?}");
    let lower = answer.to_ascii_lowercase();
    for field in ["content-type: application/problem+json", "connection: close", "x-request-id: req_"] {
        assert!(lower.contains(field), "{shown:?} lacks {field} in {answer:?}");
    }
    assert_eq!(lower.matches("content-type:").count(), 1, "{shown:?} got {answer:?}");
}

#[tokio::test]
async fn ambiguous_requests_are_answered_by_a_problem_and_the_connection_closes() {
    let running = start(config());

    for (request, status, code) in REFUSED {
        assert_refused(&running, request, *status, code).await;
    }

    assert_eq!(running.calls(), 0, "nothing of it reached the application");
}

#[tokio::test]
async fn oversized_heads_are_refused() {
    let running = start(config());
    let many_headers = (0..300).fold(String::new(), |fields, number| fields + &format!("x-{number}: 1\r\n"));
    let long = |length| "a".repeat(length);

    for (request, status, code) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(20_000)), 414, "edge.target_too_long"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", long(65_536)), 431, "edge.head_too_large"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many_headers}\r\n"), 431, "edge.too_many_headers"),
    ] {
        assert_refused(&running, &request, status, code).await;
    }

    assert_eq!(running.calls(), 0);
}

#[tokio::test]
async fn unusual_but_clear_requests_pass() {
    let running = start(config());

    for request in [
        "GET /x HTTP/1.0\r\n\r\n",
        "GET /x HTTP/1.0\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET http://A/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET http://a:80/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /x?q={a|b}^` HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
        "GET /x HTTP/1.1\r\nhOST: a\r\nX-Empty:\r\nX-Text: \u{e9}\r\nConnection: close\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ] {
        let answer = running.raw(request).await;

        assert!(answer.contains(" 200 OK") && answer.ends_with("/x"), "{request:?} got {answer:?}");
    }
}

#[tokio::test]
async fn the_request_id_of_a_client_is_kept_only_if_it_is_sane() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n").await;
    assert_eq!(client.answer().await.header("x-request-id"), Some("mine-1"));
    client.send("GET /info HTTP/1.1\r\nHost: a\r\nX-Request-Id: <script>\r\n\r\n").await;
    let answer = client.answer().await;
    let id = answer.header("x-request-id").unwrap();
    assert!(id.starts_with("req_") && answer.body.ends_with(id), "{answer:?}");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_goes_on() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.contains("edge.internal")), (500, true), "{answer:?}");
    client.send("GET /after HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "/after");
}
