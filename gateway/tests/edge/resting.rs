//! A connection whose client is quiet for a moment lets go of its parser; nobody may notice.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::{BIG, PATIENCE, config, start};

/// More than the moment.
const NAP: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_rested_connection_answers_as_before() {
    let running = start(config());
    let mut client = running.connect().await;

    for _ in 0..3 {
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer().await.body, "/x");
        sleep(NAP).await;
    }
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel").await;
    sleep(NAP).await;
    client.send("lo").await;
    assert_eq!(client.answer().await.body, "hello");
    sleep(NAP).await;
    client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\nGET /thr").await;
    assert_eq!([client.answer().await.body, client.answer().await.body], ["/one", "/two"]);
    sleep(NAP).await;
    client.send("ee HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "/three");
}

#[tokio::test]
async fn after_a_rest_heads_are_judged_and_upgrades_pass() {
    let running = start(config());
    let (mut hostile, mut upgrading) = (running.connect().await, running.connect().await);
    for client in [&mut hostile, &mut upgrading] {
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 200);
    }
    sleep(NAP).await;

    hostile.send("GET /y HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    let refused = hostile.rest().await;
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("edge.host_twice"), "{refused}");
    upgrading.send("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n").await;
    assert_eq!(upgrading.answer().await.status, 101);
    sleep(NAP).await;
    upgrading.send("raw").await;
    assert_eq!(upgrading.exactly(3).await, b"raw");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_not_lost_in_a_rest() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(NAP).await;

    assert_eq!(client.exactly(BIG).await.len(), BIG);
}

#[tokio::test]
async fn a_resting_connection_ends_in_time_and_in_the_drain() {
    let idle_timeout = NAP * 2;
    let running = start(gateway::Config { idle_timeout, ..config() });
    let mut client = running.connect().await;
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    let idle = Instant::now();
    assert_eq!(client.rest().await, "");
    assert!(idle.elapsed() >= idle_timeout / 2, "{:?}", idle.elapsed());

    let running = start(config());
    let mut client = running.connect().await;
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    sleep(NAP).await;
    let edge = running.edge.clone();
    let drained = edge.drain(PATIENCE).await;
    assert_eq!((client.rest().await.as_str(), drained.open, drained.cut), ("", 1, 0));
}
