//! Many at once: one request to the origin.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{Body, House, Read, answer, get, read, scope, with_status};

const TASKS: usize = 64;

/// Sends requests that all wait at the origin until `TASKS` have been sent.
async fn race(
    house: &Arc<House>,
    request: impl Fn(usize) -> http::request::Builder,
    origin: impl Fn(usize) -> http::Response<Body> + Copy + Send + Sync + 'static,
) -> (Vec<Read>, usize) {
    let (gate, calls) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let request = request(number).body(Empty::<Bytes>::new()).unwrap();
        let (house, gate, calls) = (Arc::clone(house), Arc::clone(&gate), Arc::clone(&calls));
        tasks.spawn(async move {
            let fetch = move |_: Request<Empty<Bytes>>| async move {
                let call = calls.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                origin(call)
            };
            read(house.cache.serve(&scope(), &house.policy, request, fetch).await).await.unwrap()
        });
    }
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(TASKS);
    let reads = tasks.join_all().await;
    (reads, calls.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_misses_ask_the_origin_once() {
    let house = Arc::new(House::new());

    let (reads, calls) = race(&house, |_| get("/"), |_| answer(&[("cache-control", "max-age=60")], "one")).await;

    assert_eq!(calls, 1);
    assert!(reads.iter().all(|read| read.body == "one"));
    house.settled().await;
    assert!(house.holds("/").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cant_be_shared_is_fetched_by_each() {
    let house = Arc::new(House::new());
    let private = |call: usize| {
        let text: &'static str = Box::leak(call.to_string().into_boxed_str());
        answer(&[("cache-control", "private")], text)
    };

    let (reads, calls) = race(&house, |_| get("/"), private).await;

    let mut bodies: Vec<_> = reads.iter().map(|read| read.body.clone()).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!((calls, bodies.len()), (TASKS, TASKS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variants_wait_for_their_own() {
    let house = Arc::new(House::new());
    let language = |number: usize| get("/").header("x-n", number % 4);

    let varies = |_| answer(&[("cache-control", "max-age=60"), ("vary", "x-n")], "one");
    let (reads, calls) = race(&house, language, varies).await;

    assert_eq!(reads.len(), TASKS);
    // The first does not know yet what it varies by; the other three variants do.
    assert_eq!(calls, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_answer_is_confirmed_once_for_all() {
    let house = Arc::new(House::new());
    house.send(get("/"), answer(&[("cache-control", "max-age=1"), ("etag", "\"1\"")], "one")).await;
    house.pass(5);

    let (reads, calls) = race(&house, |_| get("/"), |_| with_status(304, &[("cache-control", "max-age=60")], "")).await;

    assert_eq!(calls, 1);
    assert!(reads.iter().all(|read| read.body == "one" && read.status == 200));
}

// On one thread, so that all have joined before the origin answers.
#[tokio::test]
async fn a_failing_origin_is_asked_once_while_a_stale_answer_stands_in() {
    let house = Arc::new(House::new());
    house.send(get("/"), answer(&[("cache-control", "max-age=1, stale-if-error=60")], "one")).await;
    house.pass(5);

    let (reads, calls) = race(&house, |_| get("/"), |_| with_status(503, &[], "broken")).await;

    assert_eq!(calls, 1);
    assert!(reads.iter().all(|read| read.body == "one"));
}

#[tokio::test]
async fn a_leader_that_leaves_hands_over_to_the_next() {
    let house = Arc::new(House::new());
    let leading = Arc::clone(&house);
    let leader = tokio::spawn(async move {
        let never = |_: Request<Empty<Bytes>>| std::future::pending::<http::Response<Body>>();
        let request = get("/").body(Empty::<Bytes>::new()).unwrap();
        leading.cache.serve(&scope(), &leading.policy, request, never).await;
    });
    while house.cache.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    let followers: Vec<_> = (0..TASKS)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.send(get("/"), answer(&[("cache-control", "max-age=60")], "one")).await })
        })
        .collect();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.origin_calls(), 0);

    leader.abort();

    for follower in followers {
        assert_eq!(follower.await.unwrap().body, "one");
    }
    assert_eq!(house.origin_calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waited_too_long_goes_by_itself() {
    let house = Arc::new(House::new());
    let leading = Arc::clone(&house);
    let _leader = tokio::spawn(async move {
        let never = |_: Request<Empty<Bytes>>| std::future::pending::<http::Response<Body>>();
        let request = get("/").body(Empty::<Bytes>::new()).unwrap();
        leading.cache.serve(&scope(), &leading.policy, request, never).await;
    });
    while house.cache.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }

    assert_eq!(house.send(get("/"), answer(&[("cache-control", "max-age=60")], "one")).await.body, "one");
}
