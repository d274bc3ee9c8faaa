//! Caps on connections and rates, and who counts as the client.

use std::{net::IpAddr, time::Duration};

use gateway::{Config, ForwardedHeader, Listener, Rate, RateLimits};
use tokio::time::{Instant, sleep};

use crate::support::{PATIENCE, Running, any_port, config, start};

async fn open(running: &Running) -> crate::support::Client {
    let mut client = running.connect().await;
    client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    client
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_a_freed_place_is_given_again() {
    for capped in [Config { max_connections: 2, ..config() }, Config { max_connections_per_address: 2, ..config() }] {
        let running = start(capped);
        let first = open(&running).await;
        let _second = open(&running).await;

        assert_eq!(running.raw("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await, "");
        drop(first);
        let freed = Instant::now();
        let mut answer = String::new();
        while answer.is_empty() && freed.elapsed() < PATIENCE {
            sleep(Duration::from_millis(5)).await;
            answer = running.raw("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        }

        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

fn limited(address: u32, key: u32) -> Config {
    let (rate, others) = (|burst| Rate { per_minute: 6, burst }, config());
    let rate_limits = RateLimits { address: rate(address), key: rate(key), ..others.rate_limits };
    Config { rate_limits, ..others }
}

#[tokio::test]
async fn beyond_the_burst_comes_429_with_the_time_to_come_back() {
    let running = start(limited(2, 50));
    let mut client = running.connect().await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        answers.push(client.answer().await);
    }

    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(answers[0].header("ratelimit-policy"), Some("\"address\";q=2;w=20"));
    assert_eq!(answers[0].header("ratelimit"), Some("\"address\";r=1;t=10"));
    assert_eq!(answers[2].header("ratelimit"), Some("\"address\";r=0;t=20"));
    assert_eq!(answers[2].header("retry-after"), Some("10"));
    assert_eq!(answers[2].header("content-type"), Some("application/problem+json"));
    assert!(answers[2].body.contains("edge.rate_limited") && answers[2].body.contains("\"retryable\":true"));
    assert_eq!(running.calls(), 2);
}

#[tokio::test]
async fn each_credential_has_its_own_limit() {
    let running = start(limited(50, 1));
    let mut client = running.connect().await;
    let mut statuses = Vec::new();
    for key in ["a", "a", "b"] {
        client.send(format!("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n\r\n")).await;
        let answer = client.answer().await;
        assert!(answer.header("ratelimit-policy").unwrap().contains("\"key\";q=1;w=10"), "{answer:?}");
        statuses.push(answer.status);
    }

    assert_eq!(statuses, [200, 429, 200]);
}

#[tokio::test]
async fn refused_requests_are_counted_too_and_the_ops_listener_counts_nothing() {
    let running = start(limited(1, 50));
    let ops = Listener::ops(any_port()).unwrap();
    let ops_address = ops.local_addr();
    running.edge.serve(ops, running.app.clone());

    assert!(running.raw("GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    let second = running.raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(second.starts_with("HTTP/1.1 429 "), "{second}");
    let operators = Running { http: ops_address, ..running };
    for _ in 0..3 {
        let answer = operators.raw("GET /info HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("listener=ops"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("ratelimit"), "{answer}");
    }
}

async fn who(running: &Running, field: &str) -> String {
    running.raw(format!("GET /info HTTP/1.1\r\nHost: A.localhost:80\r\n{field}\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn forwarded_headers_count_only_from_a_trusted_proxy() {
    let untrusting = start(config());
    let trusting = start(Config { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..config() });
    let by_forwarded = start(Config {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        forwarded_header: ForwardedHeader::Forwarded,
        ..config()
    });
    let field = "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 127.0.0.9\r\nX-Forwarded-Proto: https";

    let untrusted = who(&untrusting, field).await;
    let trusted = who(&trusting, field).await;
    let forwarded = who(&by_forwarded, "Forwarded: for=\"[2001:db8::1]:80\";proto=https").await;

    assert!(untrusted.contains("client=127.0.0.1 scheme=http host=a.localhost "), "{untrusted}");
    assert!(untrusted.contains("forwarded=false"), "{untrusted}");
    assert!(trusted.contains("client=203.0.113.7 scheme=https "), "{trusted}");
    assert!(forwarded.contains("client=2001:db8::1 scheme=https "), "{forwarded}");
}

#[tokio::test]
async fn a_load_balancer_names_the_client_before_anything_else() {
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    let running = start(Config { proxy_protocol: vec![here.into()], ..config() });
    let request = "GET /info HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

    let named = running.raw(format!("PROXY TCP4 192.0.2.7 192.0.2.8 1111 80\r\n{request}")).await;
    let own = running.raw(format!("PROXY UNKNOWN\r\n{request}")).await;
    let missing = running.raw(request).await;

    assert!(named.contains("client=192.0.2.7 "), "{named}");
    assert!(own.contains("client=127.0.0.1 "), "{own}");
    assert_eq!(missing, "");
    assert_eq!(running.calls(), 2);
}

#[tokio::test]
async fn a_header_of_anybody_else_is_a_bad_request() {
    let running = start(config());

    let answer = running.raw("PROXY TCP4 192.0.2.7 192.0.2.8 1111 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(running.calls(), 0);
}
