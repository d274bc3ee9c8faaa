//! One of five upstreams is in trouble: clients hardly notice, and no POST is executed twice.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, StatusCode};
use hyper::body::Incoming;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    support::{Fixture, Seen, Upstream, fixture, get, listen, post, serve, text, text_of, urls},
    timeouts::black_hole,
};

const REQUESTS: usize = 5000;
const AT_ONCE: usize = 24;

async fn good() -> Upstream {
    Upstream::start(|_| async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        text("good")
    })
    .await
}

/// Sends thousands of requests, every fifth a POST; how many clients saw an error.
async fn load(fixture: &Fixture) -> usize {
    let next = Arc::new(AtomicUsize::new(0));
    let errors = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, errors, pool) = (Arc::clone(&next), Arc::clone(&errors), Arc::clone(&fixture.pool));
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= REQUESTS {
                    return;
                }
                let mut request = if number % 5 == 0 { post("/", "body") } else { get("/") };
                let id = if number % 5 == 0 { format!("post-{number}") } else { format!("get-{number}") };
                request.headers_mut().insert("x-id", id.parse().unwrap());
                let outcome = text_of(&pool, request).await;
                if outcome.as_ref() != Ok(&(200, "good".to_owned())) {
                    errors.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
    }
    clients.join_all().await;
    errors.load(Ordering::SeqCst)
}

async fn judge(bad: SocketAddr, seen: Option<Arc<Seen>>) {
    let good = [good().await, good().await, good().await, good().await];
    let all = good.iter().map(|upstream| &upstream.address).chain([&bad]);
    let fixture = fixture(&urls(all), r#""timeouts": {"connect": "250ms", "response_head": "1s"}"#);

    let errors = load(&fixture).await;

    let status = fixture.status();
    assert!(errors * 1000 <= REQUESTS, "{errors} errors: {status:#?}");
    let mut ids: HashMap<String, usize> = HashMap::new();
    for seen in good.iter().map(|upstream| &upstream.seen).chain(&seen) {
        for (id, times) in seen.ids() {
            *ids.entry(id).or_default() += times;
        }
    }
    let twice: Vec<_> = ids.iter().filter(|(id, times)| id.starts_with("post") && **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let total: usize = ids.values().sum();
    assert!(total <= REQUESTS + REQUESTS / 5 + 10, "{total}");
    assert_eq!(status.in_flight, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_one() {
    let slow = Upstream::start(|_| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        text("good")
    })
    .await;
    judge(slow.address, Some(Arc::clone(&slow.seen))).await;
    let share = slow.seen.requests();
    assert!(share < REQUESTS / 20, "{share} went to the slow one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flapping_one() {
    let start = Instant::now();
    let down = move || start.elapsed().as_millis() / 300 % 2 == 1;
    let flapping = Upstream::accepting(listen().await, move |stream, seen| async move {
        if down() {
            return reset(&stream);
        }
        serve(stream, seen, move |_: Request<Incoming>| async move {
            let mut answer = text("good");
            if down() {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            answer
        })
        .await;
    });
    judge(flapping.address, Some(Arc::clone(&flapping.seen))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_accepts_and_never_answers() {
    let silent = Upstream::accepting(listen().await, |stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    judge(silent.address, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_drops_connections() {
    let hole = black_hole();
    judge(hole.address, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_fast() {
    let failing = Upstream::start(|_| async {
        let mut answer = text("bad");
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
    .await;
    judge(failing.address, Some(Arc::clone(&failing.seen))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_resets_connections() {
    let resetting = Upstream::accepting(listen().await, |stream, _| async move { reset(&stream) });
    judge(resetting.address, None).await;
}

/// Closes with a RST.
fn reset(stream: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
}
