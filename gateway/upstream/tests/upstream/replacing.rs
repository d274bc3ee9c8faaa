//! Pools change while requests are under way.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use edge_upstream::{Pools, TargetState, config::ConfigError};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Upstream, eventually, get, in_front_of, pools, post, settings, text, text_of, urls};

fn replace(pools: &Pools, upstreams: &[&Upstream], more: &str) {
    let config = settings(&urls(upstreams.iter().map(|upstream| &upstream.address)), more);
    pools.replace(BTreeMap::from([("p".to_owned(), config)])).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_race_with_changes_lose_nothing() {
    let upstreams = [Upstream::echo().await, Upstream::echo().await, Upstream::echo().await, Upstream::echo().await];
    let [a, b, c, d] = &upstreams;
    let pools = Arc::new(pools());
    replace(&pools, &[a, b], "");
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let pools = Arc::clone(&pools);
        tasks.spawn(async move {
            for number in 0..40 {
                let body = format!("{task} {number}");
                let outcome = text_of(&pools.get("p").unwrap(), post("/", body.clone())).await;
                assert_eq!(outcome, Ok((200, body)));
            }
        });
    }
    let (done, changes) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let racing = async {
        let versions: [(&[&Upstream], &str); 4] = [
            (&[b, c, d], ""),
            (&[a, c], r#""balance": "round_robin""#),
            (&[a, b, c, d], r#""breaker": {"max_connections": 100}"#),
            (&[d], r#""shedding": {"limit": 1000}"#),
        ];
        while !done.load(Ordering::SeqCst) {
            let (upstreams, more) = versions[changes.fetch_add(1, Ordering::SeqCst) % versions.len()];
            replace(&pools, upstreams, more);
            tokio::task::yield_now().await;
        }
    };
    let working = async {
        while let Some(outcome) = tasks.join_next().await {
            outcome.unwrap();
        }
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(racing, working);

    assert!(changes.load(Ordering::SeqCst) > 10);
    let requests: usize = upstreams.iter().map(|upstream| upstream.seen.requests()).sum();
    assert_eq!(requests, 64 * 40);
    eventually("nothing drains any more", || {
        pools.status().iter().flat_map(|pool| &pool.targets).all(|target| target.in_flight == 0)
    })
    .await;
}

#[tokio::test]
async fn a_target_that_leaves_finishes_what_it_began() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let old = Upstream::start(move |_| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.unwrap().forget();
            text("old")
        }
    })
    .await;
    let new = Upstream::start(|_| async { text("new") }).await;
    let fixture = in_front_of(&[&old], "");
    let began = Arc::clone(&fixture.pool);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { text_of(&began, get("/")).await });
    eventually("it is under way", || old.seen.requests() == 1).await;

    replace(&fixture.pools, &[&new], "");
    let pool = fixture.pools.get("p").unwrap();
    assert_eq!(text_of(&pool, get("/")).await, Ok((200, "new".to_owned())));
    let states: Vec<_> = pool.status().targets.iter().map(|target| target.state).collect();
    assert_eq!(states, [TargetState::SlowStart, TargetState::Draining]);
    gate.add_permits(1);
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), Ok((200, "old".to_owned())));
    eventually("it is gone", || pool.status().targets.len() == 1).await;
}

#[tokio::test]
async fn what_does_not_change_is_kept() {
    let upstreams = [Upstream::echo().await, Upstream::echo().await];
    let fixture = in_front_of(&[&upstreams[0]], "");
    for _ in 0..3 {
        fixture.text(get("/")).await.unwrap();
    }

    replace(&fixture.pools, &[&upstreams[0]], "");
    assert!(Arc::ptr_eq(&fixture.pool, &fixture.pools.get("p").unwrap()));
    replace(&fixture.pools, &[&upstreams[0], &upstreams[1]], r#""balance": "round_robin""#);
    let pool = fixture.pools.get("p").unwrap();
    assert_eq!(pool.status().targets[0].requests, 3);
    for _ in 0..10 {
        text_of(&pool, get("/")).await.unwrap();
    }
    assert_eq!(upstreams[0].seen.connections(), 1);
    assert!(upstreams[1].seen.requests() >= 1);
}

#[tokio::test]
async fn a_wrong_setting_changes_nothing() {
    let upstream = Upstream::echo().await;
    let fixture = in_front_of(&[&upstream], "");
    let good = settings(&urls([&upstream.address]), "");
    let bad = settings(&["gopher://x".to_owned()], r#""timeouts": {"connect": 0}"#);

    let configs = BTreeMap::from([("new".to_owned(), good), ("p".to_owned(), bad)]);
    let ConfigError(wrong) = fixture.pools.replace(configs).unwrap_err();

    let paths: Vec<_> = wrong.iter().map(|invalid| invalid.path.as_str()).collect();
    assert_eq!(paths, ["p.targets[0].url", "p.timeouts.connect"]);
    assert!(fixture.pools.get("new").is_none());
    assert!(fixture.text(get("/")).await.is_ok());
}

#[tokio::test]
async fn closing_ends_every_task() {
    let upstream = Upstream::echo().await;
    let check = r#""health": {"path": "/", "interval": "10ms"}"#;
    let config = settings(&[format!("h2c://{}", upstream.address)], check);
    let pools = pools();
    pools.replace(BTreeMap::from([("p".to_owned(), config)])).unwrap();
    text_of(&pools.get("p").unwrap(), get("/")).await.unwrap();

    tokio::time::timeout(crate::support::PATIENCE, pools.close()).await.unwrap();
    assert!(pools.get("p").is_none());
}
