//! What one target, and a pool, may have at once.

use std::{sync::Arc, time::Duration};

use edge_upstream::{Priority, UpstreamError};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Fixture, Upstream, context, eventually, fixture, get, in_front_of, text, text_of};

/// Answers when it gets a permit.
async fn gated() -> (Upstream, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let upstream = Upstream::start(move |_| {
        let gate = Arc::clone(&held);
        async move {
            gate.acquire().await.unwrap().forget();
            text("done")
        }
    })
    .await;
    (upstream, gate)
}

type Sent = JoinSet<Result<(u16, String), &'static str>>;

fn begin(fixture: &Fixture, sent: &mut Sent) {
    let pool = Arc::clone(&fixture.pool);
    sent.spawn(async move { text_of(&pool, get("/")).await });
}

#[tokio::test]
async fn a_full_target_lets_few_wait_and_tells_the_others_to_come_back() {
    let (upstream, gate) = gated().await;
    let fixture = in_front_of(&[&upstream], r#""breaker": {"max_connections": 2, "max_pending": 1}"#);
    let mut sent = Sent::new();
    for _ in 0..3 {
        begin(&fixture, &mut sent);
    }
    eventually("two run, one waits", || upstream.seen.requests() == 2 && fixture.status().targets[0].pending == 1)
        .await;

    let error = fixture.send(get("/")).await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("edge.upstream_overloaded", 503));
    assert!(error.retry_after().is_some());
    gate.add_permits(3);
    for outcome in sent.join_all().await {
        assert_eq!(outcome, Ok((200, "done".to_owned())));
    }
    assert_eq!(upstream.seen.connections(), 2);
    assert_eq!(fixture.status().targets[0].failures, 0);
}

#[tokio::test]
async fn a_full_target_is_passed_over() {
    let (full, gate) = gated().await;
    let free = Upstream::start(|_| async { text("free") }).await;
    for scheme in ["http", "h2c"] {
        let targets = [format!("{scheme}://{}", full.address), format!("{scheme}://{}", free.address)];
        let fixture = fixture(&targets, r#""breaker": {"max_requests": 2}, "balance": "round_robin""#);
        let before = full.seen.requests();
        let mut sent = Sent::new();
        for _ in 0..6 {
            begin(&fixture, &mut sent);
            let stuck = || u64::try_from(full.seen.requests() - before).unwrap();
            let begun = || fixture.status().targets.iter().map(|target| target.requests).sum::<u64>() + stuck();
            let all = u64::try_from(sent.len()).unwrap();
            eventually("it is answered or stuck", || begun() == all).await;
        }
        eventually("two are stuck", || full.seen.requests() == before + 2).await;
        for _ in 0..10 {
            assert_eq!(fixture.text(get("/")).await, Ok((200, "free".to_owned())));
        }
        gate.add_permits(2);
        assert!(sent.join_all().await.iter().all(Result::is_ok));
        assert_eq!(full.seen.requests(), before + 2);
    }
}

#[tokio::test]
async fn low_priorities_are_turned_away_first() {
    let (upstream, gate) = gated().await;
    let fixture = in_front_of(&[&upstream], r#""shedding": {"limit": 4}"#);
    let refused = async |priority| {
        let mut context = context();
        context.priority = priority;
        let sending = fixture.pool.send(get("/"), context);
        match tokio::time::timeout(Duration::from_millis(20), sending).await {
            Ok(Err(error @ UpstreamError::Shed { .. })) => error.status() == 503 && error.retry_after().is_some(),
            Ok(other) => panic!("{other:?}"),
            Err(_waits) => false,
        }
    };
    let mut sent = Sent::new();
    for held in 1..=4 {
        begin(&fixture, &mut sent);
        eventually("it is held", || fixture.status().in_flight == held).await;
        assert_eq!(refused(Priority::Low).await, held >= 3, "{held}");
        assert_eq!(refused(Priority::Normal).await, held >= 4, "{held}");
        assert!(!refused(Priority::Critical).await, "{held}");
    }
    gate.add_permits(100);
    assert!(sent.join_all().await.iter().all(Result::is_ok));
    assert_eq!(fixture.status().in_flight, 0);
}

#[tokio::test]
async fn idle_connections_are_few_and_do_not_stay_for_ever() {
    let (upstream, gate) = gated().await;
    let fixture = in_front_of(&[&upstream], r#""connections": {"max_idle": 3, "idle_timeout": "100ms"}"#);
    let mut sent = Sent::new();
    for _ in 0..8 {
        begin(&fixture, &mut sent);
    }
    eventually("all run", || upstream.seen.requests() == 8).await;
    assert_eq!(fixture.status().targets[0].connections, 8);
    gate.add_permits(8);
    assert!(sent.join_all().await.iter().all(Result::is_ok));
    assert!(fixture.status().targets[0].idle_connections <= 3);
    eventually("all are closed", || fixture.status().targets[0].connections == 0).await;
}
