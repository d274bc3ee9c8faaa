//! Before any route: challenges, the redirect to HTTPS, HSTS, and an application that comes later.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use edge_certificates::{
    Answer as Challenge, CertificateStore, ChallengeKind, HttpAnswers, Lane, Name, Progress, Save,
};
use fake_ca::MemoryStore;
use gateway::{Config, Https, Late, Listener, Threshold};

use crate::support::{Answer, Client, Running, TestApp, any_port, config, start};

const HTTPS: Https =
    Https { redirect: true, port: 8443, hsts: Duration::ZERO, hsts_subdomains: false, hsts_preload: false };

/// A store in which the challenge `token` is set.
async fn challenged() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let (name, now) = (Name::parse("a.example.com").unwrap(), chrono::DateTime::UNIX_EPOCH);
    store.want(&name, "one", now).await.unwrap();
    let lease = store.lease(name.as_str(), "test", now, Duration::from_secs(60)).await.unwrap().unwrap();
    let answer = Challenge {
        kind: ChallengeKind::Http01,
        host: name.as_str().into(),
        token: "token".into(),
        key_authorization: "token.thumbprint".into(),
    };
    let save = Save {
        progress: Progress::default(),
        due: now,
        lane: Lane::Working,
        lease_until: now,
        entries: Vec::new(),
        answers: Some(vec![answer]),
        certificate: None,
        forget: false,
    };
    store.save(&lease, save).await.unwrap();
    store
}

/// The same edge with a threshold in front, on another port.
async fn with_threshold(config: Config, https: Https) -> (Running, SocketAddr) {
    let running = start(config);
    let answers = Arc::new(HttpAnswers::new(challenged().await, Duration::from_secs(1), 4));
    let threshold = Threshold::new(Arc::clone(&running.app), answers, &https, 9443);
    let listener = Listener::http(any_port()).unwrap();
    let address = listener.local_addr();
    running.edge.serve(listener, Arc::new(threshold));
    (running, address)
}

async fn get(running: &Running, address: SocketAddr, target: &str, more: &str) -> Answer {
    let at = Running {
        http: address,
        edge: running.edge.clone(),
        app: Arc::clone(&running.app),
        journal: Arc::clone(&running.journal),
    };
    let mut client: Client = at.connect().await;
    client.send(format!("GET {target} HTTP/1.1\r\nHost: A.example.com:80\r\n{more}\r\n")).await;
    client.answer().await
}

#[tokio::test]
async fn a_challenge_is_answered_and_never_redirected() {
    let (running, address) = with_threshold(config(), HTTPS).await;

    let known = get(&running, address, "/.well-known/acme-challenge/token", "").await;
    let unknown = get(&running, address, "/.well-known/acme-challenge/other", "").await;

    assert_eq!((known.status, known.body.as_str()), (200, "token.thumbprint"));
    assert_eq!((unknown.status, unknown.body.as_str()), (200, "/.well-known/acme-challenge/other"));
}

#[tokio::test]
async fn everything_else_goes_to_https_on_the_port_that_clients_know() {
    let (running, address) = with_threshold(config(), HTTPS).await;
    let answer = get(&running, address, "/a%20b?c=d", "").await;
    assert_eq!((answer.status, answer.header("location")), (308, Some("https://a.example.com:8443/a%20b?c=d")));

    let (running, address) = with_threshold(config(), Https { port: 0, ..HTTPS }).await;
    assert_eq!(get(&running, address, "/", "").await.header("location"), Some("https://a.example.com:9443/"));

    let (running, address) = with_threshold(config(), Https { port: 443, ..HTTPS }).await;
    assert_eq!(get(&running, address, "/", "").await.header("location"), Some("https://a.example.com/"));
    assert_eq!(running.calls(), 0);
}

#[tokio::test]
async fn what_a_trusted_proxy_took_over_https_is_not_redirected_and_carries_hsts() {
    let trusting =
        Config { trusted_proxies: vec!["127.0.0.1".parse::<std::net::IpAddr>().unwrap().into()], ..config() };
    let strict = Https { hsts: Duration::from_secs(600), hsts_subdomains: true, ..HTTPS };
    let (running, address) = with_threshold(trusting, strict).await;

    let secure = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    let answer = get(&running, address, "/info", secure).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=600; includeSubDomains"));

    let plain = get(&running, address, "/info", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n").await;
    assert_eq!((plain.status, plain.header("strict-transport-security")), (308, None));
}

#[tokio::test]
async fn clients_are_asked_to_come_back_until_the_application_is_there() {
    let running = start(config());
    let late: Arc<Late<TestApp>> = Arc::new(Late::new("Not yet; try again in a moment."));
    let (public, ops) = (Listener::http(any_port()).unwrap(), Listener::ops(any_port()).unwrap());
    let (at, ops_at) = (public.local_addr(), ops.local_addr());
    running.edge.serve(public, Arc::clone(&late));
    running.edge.serve(ops, Arc::clone(&late));

    let before = get(&running, at, "/info", "").await;
    assert_eq!((before.status, before.header("retry-after")), (503, Some("5")), "{before:?}");
    assert!(before.body.contains("edge.starting"), "{before:?}");
    assert_eq!(get(&running, at, "/healthz", "").await.status, 503);
    assert_eq!(get(&running, ops_at, "/readyz", "").await.status, 503);
    assert_eq!(get(&running, ops_at, "/healthz", "").await.status, 200);

    late.come(Arc::clone(&running.app));

    assert_eq!(get(&running, at, "/info", "").await.status, 200);
}
