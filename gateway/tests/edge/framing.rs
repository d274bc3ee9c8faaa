//! Message after message on one connection.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::sleep};

use crate::support::{Running, config, start};

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_a_refused_one_ends_the_row() {
    let running = start(config());

    let answer = running
        .raw(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
             POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo\
             POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n\
             GET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n\
             GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;

    let order = ["/1", "two", "three", "edge.host_twice"].map(|text| answer.find(text));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{answer}");
    assert!(!answer.contains("/5"), "{answer}");
    assert_eq!(running.calls(), 3);
}

#[tokio::test]
async fn a_refusal_waits_for_the_answer_before_it() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n").await;
    sleep(Duration::from_millis(30)).await;
    running.app.gate.add_permits(1);

    let first = client.answer().await;
    assert_eq!((first.status, first.body.as_str()), (200, "waited"));
    assert_eq!(client.answer().await.status, 400);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn dripped_bytes_make_the_same_requests() {
    let running = start(config());
    let mut client = running.connect().await;
    let requests = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3\r\nabc\r\n3;x=1\r\ndef\r\n0\r\nX-Sum: 1\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n";

    client.stream.set_nodelay(true).unwrap();
    for byte in requests.as_bytes() {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }

    assert_eq!(client.answer().await.body, "abcdef");
    assert_eq!(client.answer().await.body, "/next");
}

#[tokio::test]
async fn large_bodies_pass_whole_with_a_length_and_in_chunks() {
    let running = start(config());
    let mut client = running.connect().await;
    let body: String = ('a'..='z').cycle().take(700_000).collect();

    client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    assert!(client.answer().await.body == body);
    let chunks: String = body.as_bytes().chunks(9_999).fold(String::new(), |all, chunk| {
        all + &format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap())
    });
    client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")).await;
    assert!(client.answer().await.body == body);
}

#[tokio::test]
async fn a_broken_chunk_is_told_to_the_application_and_nothing_after_it_is_read() {
    let running = start(config());

    let answer = running
        .raw(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nffffffffffffffffff\r\n\
             GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;

    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("edge.body_malformed"), "{answer}");
    assert_eq!(running.calls(), 1);
}

#[tokio::test]
async fn an_announced_body_beyond_the_cap_is_refused_unread() {
    let running = start(config());

    let answer = running.raw("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nabc").await;
    let own = running.raw("POST /echo?small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world").await;

    for answer in [answer, own] {
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("edge.body_too_large"), "{answer}");
    }
    assert_eq!(running.calls(), 0);
}

#[tokio::test]
async fn a_streamed_body_is_cut_at_the_cap() {
    let running = start(config());

    let mut client = running.connect().await;
    let head = "POST /echo?small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    client.send(format!("{head}b\r\nhello world\r\n")).await;
    let answer = client.answer().await;

    assert_eq!((answer.status, answer.body.as_str()), (413, "edge.body_too_large"));
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_still_sends_is_listened_to_so_that_it_can_read_the_refusal() {
    let running = start(config());
    let mut client = running.connect().await;

    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 413);
    for _ in 0..5 {
        client.stream.write_all(&vec![b'x'; 64 * 1024]).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    client.stream.shutdown().await.unwrap();

    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn an_unread_body_is_read_for_nobody_or_the_answer_says_that_the_connection_closes() {
    let running = start(config());
    let mut client = running.connect().await;

    let small = "x".repeat(30_000);
    client.send(format!("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n{small}")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, None));

    let large = "x".repeat(900_000);
    client.send(format!("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n{large}")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));

    let mut client = running.connect().await;
    client.send("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
}

async fn converse(running: &Running, task: usize) {
    let mut client = running.connect().await;
    for turn in 0..20 {
        let body = format!("{task}-{turn}-").repeat(1 + (task * 31 + turn * 17) % 400);
        let (one, two) = body.split_at(body.len() / 3);
        let request = if turn % 2 == 0 {
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        } else {
            let (a, b) = (one.len(), two.len());
            format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{a:x}\r\n{one}\r\n{b:x}\r\n{two}\r\n0\r\n\r\n"
            )
        };
        let cut = (task * 7 + turn * 13) % request.len();
        client.send(&request[..cut]).await;
        tokio::task::yield_now().await;
        client.send(&request[cut..]).await;
        assert_eq!(client.answer().await.body, body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_at_once_each_get_their_own() {
    let running = std::sync::Arc::new(start(config()));

    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let running = running.clone();
            tokio::spawn(async move { converse(&running, task).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }

    assert_eq!(running.calls(), 64 * 20);
    assert_eq!(running.edge.drain(Duration::from_secs(5)).await.cut, 0);
}
