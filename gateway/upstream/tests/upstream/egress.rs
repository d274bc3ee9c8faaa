//! Where a pool may connect to.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use edge_upstream::{Environment, Pools, PublicAddresses, Resolver, Resolving, SystemResolver, config::Reach};
use tokio::net::TcpListener;

use crate::support::{Fixture, Upstream, eventually, get, settings, text};

/// Answers each question with the next list, and then with the last.
struct Scripted {
    answers: Vec<&'static [&'static str]>,
    asked: Arc<AtomicUsize>,
}

impl Resolver for Scripted {
    fn resolve(&self, _: &str, port: u16) -> Resolving {
        let number = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let addresses = self.answers[number].iter().map(|address| SocketAddr::new(address.parse().unwrap(), port));
        let addresses: Vec<_> = addresses.collect();
        Box::pin(async move { Ok::<_, io::Error>(addresses) })
    }
}

fn guarded(environment: Environment, url: String, more: &str) -> Fixture {
    let pools = Pools::new(environment);
    let mut config = settings(&[url], more);
    config.reach = Reach::Guarded;
    pools.replace(BTreeMap::from([("p".to_owned(), config)])).unwrap();
    let pool = pools.get("p").unwrap();
    Fixture { pools, pool }
}

#[tokio::test]
async fn a_guarded_pool_does_not_reach_this_machine() {
    let upstream = Upstream::echo().await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433"] {
        let url = format!("http://{host}:{}", upstream.address.port());
        let fixture = guarded(Environment::guarded(1), url, "");
        let error = fixture.send(get("/")).await.unwrap_err();
        assert_eq!(error.code(), "edge.upstream_forbidden", "{host}");
        assert!(!error.to_string().contains("127"), "{error}");
    }
    assert_eq!(upstream.seen.connections(), 0);

    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let policy = Arc::new(PublicAddresses { allow });
    let environment = Environment { policy, resolver: Arc::new(SystemResolver), seed: 1 };
    let fixture = guarded(environment, format!("http://{}", upstream.address), "");
    assert_eq!(fixture.text(get("/")).await, Ok((200, String::new())));
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let good = Upstream::on(listener, |_| async {
        let mut answer = text("good");
        answer.headers_mut().insert("connection", "close".parse().unwrap());
        answer
    });
    let secret = Upstream::on(TcpListener::bind(("127.0.0.2", port)).await.unwrap(), |_| async { text("secret") });
    let permitted: IpAddr = "127.0.0.1".parse().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let answers: Vec<&[&str]> = vec![&["127.0.0.1"], &["127.0.0.2", "127.0.0.1"], &["127.0.0.2"]];
    let refusals = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&refusals);
    let policy = move |address: SocketAddr| {
        if address.ip() != permitted {
            noted.lock().unwrap().push(address.ip());
        }
        address.ip() == permitted
    };
    let environment = Environment {
        policy: Arc::new(policy),
        resolver: Arc::new(Scripted { answers, asked: Arc::clone(&asked) }),
        seed: 1,
    };
    let more = r#""connections": {"resolve_again": 0}"#;
    let fixture = guarded(environment, format!("http://name.test:{port}"), more);

    assert_eq!(fixture.text(get("/")).await, Ok((200, "good".to_owned())));
    let mut outcomes = Vec::new();
    while outcomes.last() != Some(&Err("edge.upstream_forbidden")) {
        outcomes.push(fixture.text(get("/")).await);
        assert!(outcomes.len() < 50);
    }
    outcomes.pop();
    assert!(outcomes.iter().all(|outcome| *outcome == Ok((200, "good".to_owned()))), "{outcomes:?}");
    assert!(asked.load(Ordering::SeqCst) >= 3);
    eventually("it was refused by its address", || !refusals.lock().unwrap().is_empty()).await;
    assert_eq!(secret.seen.connections(), 0);
    drop(good);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_apart() {
    let fixture = crate::support::fixture(&["http://does-not-exist.invalid".to_owned()], r#""retry": {"attempts": 0}"#);
    let error = fixture.send(get("/")).await.unwrap_err();
    assert!(["edge.upstream_resolve", "edge.upstream_connect_timeout"].contains(&error.code()), "{error:?}");
}
