//! Slow clients of each kind are cut, others are not.

use std::time::Duration;

use tokio::{
    io::AsyncReadExt,
    time::{Instant, sleep, timeout},
};

use crate::support::{BIG, PATIENCE, config, start};

const SHORT: Duration = Duration::from_millis(80);

#[tokio::test]
async fn a_connection_without_a_byte_is_closed_quietly() {
    let running = start(gateway::Config { header_timeout: SHORT, ..config() });

    assert_eq!(running.raw("").await, "");
}

#[tokio::test]
async fn a_dripped_head_is_answered_408() {
    let running = start(gateway::Config { header_timeout: SHORT, ..config() });
    let mut client = running.connect().await;

    client.send("GET / HTTP/1.1\r\n").await;
    for _ in 0..6 {
        sleep(SHORT / 4).await;
        client.send("X: 1\r\n").await;
    }
    let answer = client.rest().await;

    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("edge.head_too_slow"), "{answer}");
    assert_eq!(running.calls(), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_last_answer() {
    let limit = SHORT * 4;
    let running = start(gateway::Config { idle_timeout: limit, ..config() });
    let mut client = running.connect().await;

    for _ in 0..2 {
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 200);
    }
    let idle = Instant::now();

    assert_eq!(client.rest().await, "");
    assert!(idle.elapsed() >= limit / 2, "{:?}", idle.elapsed());
}

#[tokio::test]
async fn a_slow_application_is_no_idle_client() {
    let times = gateway::Config { idle_timeout: SHORT, header_timeout: SHORT, body_timeout: SHORT, ..config() };

    for half in ["", "GET /half HT"] {
        let running = start(times.clone());
        let mut client = running.connect().await;
        client.send(format!("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n{half}")).await;
        sleep(SHORT * 3).await;
        running.app.gate.add_permits(1);

        assert_eq!(client.answer().await.body, "waited", "{half:?}");
    }
}

#[tokio::test]
async fn a_pipelined_head_has_its_time_after_the_answer_before_it() {
    let running = start(gateway::Config { header_timeout: SHORT * 4, ..config() });
    let mut client = running.connect().await;

    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /half HT").await;
    sleep(SHORT * 6).await;
    running.app.gate.add_permits(1);
    assert_eq!(client.answer().await.body, "waited");
    client.send("TP/1.1\r\nHost: a\r\n\r\n").await;

    assert_eq!(client.answer().await.body, "/half");
}

#[tokio::test]
async fn a_silent_body_is_cut() {
    let running = start(gateway::Config { body_timeout: SHORT, ..config() });

    let answer = running.raw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").await;

    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("edge.body_too_slow"), "{answer}");
}

#[tokio::test]
async fn a_body_below_the_minimum_rate_is_cut_and_one_above_is_not() {
    let silence = PATIENCE * 10;
    let pace = gateway::Config { min_body_rate: 1000, body_grace: SHORT * 3, body_timeout: silence, ..config() };
    let running = start(pace);
    let mut slow = running.connect().await;
    let mut fast = running.connect().await;

    for (client, length) in [(&mut slow, 100), (&mut fast, 2000)] {
        client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")).await;
    }
    for _ in 0..12 {
        slow.send("x").await;
        fast.send("x".repeat(200)).await;
        sleep(SHORT / 3).await;
    }

    assert_eq!(slow.answer().await.status, 408);
    assert_eq!(fast.answer().await.status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let running = start(gateway::Config { write_timeout: SHORT, ..config() });
    let mut client = running.connect().await;

    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let dropped = timeout(PATIENCE, running.app.dropped.acquire()).await;

    assert!(dropped.is_ok(), "the answer is given up");
    let mut read = 0;
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(length @ 1..) = client.stream.read(&mut buffer).await {
        read += length;
    }
    assert!(read < BIG, "{read}");
}

#[tokio::test]
async fn a_client_that_reads_gets_all() {
    let running = start(config());

    let answer = running.raw("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;

    assert!(answer.len() > BIG, "{}", answer.len());
}
