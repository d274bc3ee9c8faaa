//! The end: what is under way finishes, the rest is told, what hangs is cut.

use std::{sync::Arc, time::Duration};

use gateway::Listener;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::support::{PATIENCE, Running, any_port, config, start};

async fn until_called(running: &Running, calls: usize) {
    let since = Instant::now();
    while running.calls() < calls && since.elapsed() < PATIENCE {
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn requests_under_way_finish_and_idle_connections_close() {
    let running = start(config());
    let mut busy = running.connect().await;
    let mut idle = running.connect().await;
    idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(idle.answer().await.status, 200);
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until_called(&running, 2).await;

    let edge = running.edge.clone();
    let drain = tokio::spawn(async move { edge.drain(PATIENCE).await });
    assert_eq!(idle.rest().await, "");
    assert!(running.edge.is_draining());
    assert!(TcpStream::connect(running.http).await.is_err(), "the listener is closed");
    running.app.gate.add_permits(1);
    let answer = busy.answer().await;
    let drained = drain.await.unwrap();

    assert_eq!((answer.body.as_str(), answer.header("connection")), ("waited", Some("close")));
    assert_eq!((drained.open, drained.cut), (2, 0));
}

#[tokio::test]
async fn what_hangs_is_cut_at_the_deadline_and_counted() {
    let running = start(config());
    let mut hanging = running.connect().await;
    hanging.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until_called(&running, 1).await;

    let drained = running.edge.drain(Duration::from_millis(50)).await;

    assert_eq!((drained.open, drained.cut), (1, 1));
    assert_eq!(hanging.rest().await, "");
}

#[tokio::test]
async fn an_announced_drain_still_serves_and_the_ops_listener_outlives_the_public_ones() {
    let running = start(config());
    let ops = Listener::ops(any_port()).unwrap();
    let ops_address = ops.local_addr();
    running.edge.serve(ops, Arc::clone(&running.app));
    let mut busy = running.connect().await;

    running.edge.announce_drain();
    let answer = running.raw("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until_called(&running, 2).await;
    let edge = running.edge.clone();
    let drain = tokio::spawn(async move { edge.drain(PATIENCE).await });
    while TcpStream::connect(running.http).await.is_ok() {
        sleep(Duration::from_millis(2)).await;
    }
    let operators = Running { http: ops_address, ..running };
    let ready = operators.raw("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    operators.app.gate.add_permits(1);
    drain.await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    assert!(TcpStream::connect(ops_address).await.is_err());
}
