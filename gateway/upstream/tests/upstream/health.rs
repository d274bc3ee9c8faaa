//! Who is taken out, who comes back, and who stays whatever happens.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use edge_upstream::TargetState;
use http::{Request, StatusCode};
use hyper::body::Incoming;

use crate::support::{Fixture, Upstream, eventually, fixture, get, in_front_of, text};

/// Healthy as told; answers requests in any case.
async fn checked(healthy: &Arc<AtomicBool>) -> Upstream {
    let healthy = Arc::clone(healthy);
    Upstream::start(move |request: Request<Incoming>| {
        let good = request.uri().path() != "/health" || healthy.load(Ordering::SeqCst);
        async move {
            let mut answer = text("answer");
            if !good {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            answer
        }
    })
    .await
}

fn states(fixture: &Fixture) -> Vec<TargetState> {
    fixture.status().targets.iter().map(|target| target.state).collect()
}

const CHECK: &str = r#""health": {"path": "/health", "interval": "20ms"}, "slow_start": "1h""#;

#[tokio::test]
async fn health_checks_take_targets_out_and_bring_them_back_slowly() {
    use TargetState::{Healthy, SlowStart, Unhealthy};
    for scheme in ["http", "h2c"] {
        let flags = [Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false))];
        let upstreams = [checked(&flags[0]).await, checked(&flags[1]).await];
        let fixture = fixture(&upstreams.each_ref().map(|upstream| format!("{scheme}://{}", upstream.address)), CHECK);

        eventually("the first question is enough", || states(&fixture) == [Healthy, Unhealthy]).await;
        let error = fixture.status().targets[1].last_error.clone().unwrap();
        assert_eq!(error.sentence, "health check: status 503");
        flags[1].store(true, Ordering::SeqCst);
        eventually("it comes back", || states(&fixture) == [Healthy, SlowStart]).await;
        assert!(fixture.status().targets[1].share_percent < 20.0);
        flags[0].store(false, Ordering::SeqCst);
        eventually("the other goes", || states(&fixture) == [Unhealthy, SlowStart]).await;
        for _ in 0..20 {
            assert_eq!(fixture.text(get("/")).await, Ok((200, "answer".to_owned())));
        }
        assert_eq!(fixture.status().targets[0].requests, 0);
    }
}

#[tokio::test]
async fn when_all_checks_fail_requests_are_tried_all_the_same() {
    let flag = Arc::new(AtomicBool::new(false));
    let upstream = checked(&flag).await;
    let fixture = in_front_of(&[&upstream], CHECK);

    eventually("it is out", || states(&fixture) == [TargetState::Unhealthy]).await;
    assert_eq!(fixture.text(get("/")).await, Ok((200, "answer".to_owned())));
}

async fn failing(which: impl Fn(usize) -> bool + Clone + Send + Sync + 'static) -> Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    Upstream::start(move |_| {
        let fails = which(count.fetch_add(1, Ordering::SeqCst));
        async move {
            let mut answer = text("answer");
            if fails {
                *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
            answer
        }
    })
    .await
}

#[tokio::test]
async fn failures_in_a_row_eject_but_never_the_last() {
    let upstreams = [failing(|_| true).await, failing(|_| true).await, failing(|_| true).await];
    let more = r#""ejection": {"max_percent": 100}, "balance": "round_robin""#;
    let fixture = in_front_of(&[&upstreams[0], &upstreams[1], &upstreams[2]], more);

    for _ in 0..200 {
        assert_eq!(fixture.text(get("/")).await, Ok((500, "answer".to_owned())));
        let left = states(&fixture).iter().filter(|state| **state != TargetState::Ejected).count();
        assert!(left >= 1);
    }
    let ejected: Vec<_> = states(&fixture).into_iter().filter(|state| *state == TargetState::Ejected).collect();
    assert_eq!(ejected.len(), 2);
    assert!(fixture.status().targets.iter().any(|target| target.ejected_for.is_some_and(|left| left > 20.0)));
}

#[tokio::test]
async fn no_more_are_ejected_at_once_than_is_allowed() {
    let upstreams =
        [failing(|_| true).await, failing(|_| true).await, failing(|_| true).await, failing(|_| false).await];
    let more = r#""ejection": {"max_percent": 50}, "balance": "round_robin""#;
    let fixture = in_front_of(&upstreams.each_ref(), more);

    for _ in 0..100 {
        assert!(fixture.text(get("/")).await.is_ok());
    }
    let ejected = states(&fixture).iter().filter(|state| **state == TargetState::Ejected).count();
    assert_eq!(ejected, 2);
}

#[tokio::test]
async fn a_target_that_often_fails_is_ejected_even_if_never_in_a_row() {
    let upstreams = [failing(|number| number % 2 == 0).await, failing(|_| false).await, failing(|_| false).await];
    let more = r#""ejection": {"interval": "100ms"}, "balance": "round_robin""#;
    let fixture = in_front_of(&upstreams.each_ref(), more);

    let mut sent = 0;
    while states(&fixture)[0] != TargetState::Ejected {
        assert!(fixture.text(get("/")).await.is_ok());
        sent += 1;
        assert!(sent < 20_000, "{:?}", fixture.status());
    }
    assert_eq!(states(&fixture)[1..], [TargetState::Healthy; 2]);
}
