//! Another table while requests run.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use gateway::RoutesFile;
use tokio::task::JoinSet;

use super::support::{Service, eventually, routed};
use crate::support::config;

fn table(pool: &str, service: &Service) -> String {
    format!("[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"{pool}\" }}\n{}", service.pool(pool))
}

#[tokio::test]
async fn a_change_under_load_drops_nothing() {
    let (old, new) = (Service::named("old").await, Service::named("new").await);
    let edge = Arc::new(routed(config(), &table("one", &old)));
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let (edge, stop, done) = (Arc::clone(&edge), Arc::clone(&stop), Arc::clone(&done));
        clients.spawn(async move {
            let mut client = edge.connect().await;
            while !stop.load(Ordering::SeqCst) {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                let answer = client.answer().await;
                assert_eq!(answer.status, 200, "{answer:?}");
                assert!(["old /", "new /"].contains(&answer.body.as_str()), "{answer:?}");
                done.fetch_add(1, Ordering::SeqCst);
            }
        });
    }

    for change in 0..8 {
        let (pool, service) = if change % 2 == 0 { ("two", &new) } else { ("one", &old) };
        let before = done.load(Ordering::SeqCst);
        edge.routing.replace(RoutesFile::parse(&table(pool, service)).unwrap()).unwrap();
        eventually("requests after the change", || done.load(Ordering::SeqCst) > before + 64).await;
    }
    edge.routing.replace(RoutesFile::parse(&table("two", &new)).unwrap()).unwrap();
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }

    assert_eq!(edge.get("/", "").await.body, "new /");
    assert!(old.calls() > 0 && new.calls() > 0);
}

#[tokio::test]
async fn a_bad_table_changes_nothing() {
    let service = Service::named("old").await;
    let edge = routed(config(), &table("one", &service));

    let bad = "[[routes]]\nid = \"r\"\naction = { kind = \"upstream\", pool = \"gone\" }";
    let error = edge.routing.replace(RoutesFile::parse(bad).unwrap()).unwrap_err();

    assert_eq!(error.0[0].code, "routes.pool_unknown");
    assert_eq!(edge.get("/", "").await.body, "old /");
}
