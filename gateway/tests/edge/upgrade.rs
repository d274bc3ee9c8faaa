//! Leaving HTTP: bytes pass only after the 101.

use crate::support::{config, start};

#[tokio::test]
async fn after_a_101_bytes_pass_as_they_are() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nearly").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 101);
    assert_eq!(client.exactly(5).await, b"early");
    client.send(b"\0\r\n\n\xff").await;
    assert_eq!(client.exactly(5).await, b"\0\r\n\n\xff");
}

#[tokio::test]
async fn without_a_101_what_follows_is_a_request_and_judged_as_one() {
    let running = start(config());

    let answer = running
        .raw(
            "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n\
             GET /y HTTP/1.1\r\nHost: a\r\n\r\n\
             GET /smuggled HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        )
        .await;

    let order = ["/x", "/y", "edge.host_twice"].map(|text| answer.find(text));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{answer}");
    assert_eq!(running.calls(), 2);
}
