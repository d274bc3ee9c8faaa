//! Bodies that come in while others read them.

use std::{io, sync::Arc};

use bytes::Bytes;
use edge_cache::CacheBody;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use tokio::sync::mpsc;

use crate::support::{Body, House, config, get, read, scope};

type Chunks = mpsc::Sender<io::Result<Bytes>>;

/// An answer whose body the test writes.
fn written(headers: &[(&str, &str)]) -> (Chunks, Response<Body>) {
    let (chunks, mut coming) = mpsc::channel(1);
    let frames = async_stream(move |cx| coming.poll_recv(cx));
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    (chunks, response.body(BodyExt::boxed(StreamBody::new(frames))).unwrap())
}

fn async_stream(
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<io::Result<Bytes>>>,
) -> impl futures_util::Stream<Item = io::Result<Frame<Bytes>>> {
    futures_util::stream::poll_fn(move |cx| poll(cx).map(|next| next.map(|chunk| chunk.map(Frame::data))))
}

async fn open(house: &House, answer: Response<Body>) -> Response<CacheBody<Body>> {
    let request = get("/").body(Empty::<Bytes>::new()).unwrap();
    house.cache.serve(&scope(), &house.policy, request, |_: Request<Empty<Bytes>>| async { answer }).await
}

async fn next(body: &mut CacheBody<Body>) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn a_late_request_reads_along_from_the_start_and_the_first_may_leave() {
    let house = House::new();
    let (chunks, coming) = written(&[("cache-control", "max-age=60")]);
    let mut first = open(&house, coming).await.into_body();
    chunks.send(Ok("one ".into())).await.unwrap();
    assert_eq!(next(&mut first).await, "one ");

    let (_unused, other) = written(&[]);
    let mut late = open(&house, other).await;
    assert_eq!(late.headers()["cache-status"], "holdfast; fwd=uri-miss; collapsed");
    assert_eq!(next(late.body_mut()).await, "one ");
    drop(first);
    chunks.send(Ok("two".into())).await.unwrap();
    drop(chunks);

    assert_eq!(next(late.body_mut()).await, "two");
    assert!(late.body_mut().frame().await.is_none());
    house.settled().await;
    assert_eq!(house.send(get("/"), Response::new(crate::support::full(""))).await.body, "one two");
}

#[tokio::test]
async fn a_body_that_breaks_breaks_for_all_and_is_not_stored() {
    let house = House::new();
    let (chunks, coming) = written(&[("cache-control", "max-age=60")]);
    let first = open(&house, coming).await;
    let (_unused, other) = written(&[]);
    let second = open(&house, other).await;
    chunks.send(Ok("one".into())).await.unwrap();
    chunks.send(Err(io::ErrorKind::ConnectionReset.into())).await.unwrap();

    for answer in [first, second] {
        assert_eq!(read(answer).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    house.settled().await;
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn a_body_shorter_than_it_promised_is_not_stored() {
    let house = House::new();
    let (chunks, coming) = written(&[("cache-control", "max-age=60"), ("content-length", "10")]);
    let answer = open(&house, coming).await;
    chunks.send(Ok("one".into())).await.unwrap();
    drop(chunks);

    assert_eq!(read(answer).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    house.settled().await;
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn a_body_too_large_to_keep_flows_through_in_bounded_memory() {
    let mut tight = config();
    tight.max_object_bytes = 64 << 10;
    let house = Arc::new(House::with(edge_cache::Policy::default(), tight));
    let (chunks, coming) = written(&[("cache-control", "max-age=60")]);
    let mut body = open(&house, coming).await.into_body();
    let chunk = Bytes::from(vec![7; 16 << 10]);

    let mut sent: usize = 0;
    let writer = async {
        for _ in 0..64 {
            chunks.send(Ok(chunk.clone())).await.unwrap();
            sent += chunk.len();
        }
        drop(chunks);
        std::future::pending::<()>().await;
    };
    // Nobody reads: the origin is held back before its megabyte is through.
    tokio::select! { () = writer => {}, () = async { for _ in 0..2000 { tokio::task::yield_now().await } } => {} }
    assert!((64 << 10..256 << 10).contains(&sent), "{sent}");
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
    }

    assert_eq!(read, sent);
    house.settled().await;
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn when_nobody_reads_what_cant_be_kept_the_origin_is_let_go() {
    let mut tight = config();
    tight.max_object_bytes = 1024;
    let house = House::with(edge_cache::Policy::default(), tight);
    let (chunks, coming) = written(&[("cache-control", "max-age=60")]);
    drop(open(&house, coming).await);

    let mut closed = false;
    for _ in 0..10 {
        closed |= chunks.send(Ok(Bytes::from(vec![7; 4096]))).await.is_err();
    }

    assert!(closed);
    house.settled().await;
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_falls_silent_is_cut() {
    let house = House::new();
    let (chunks, coming) = written(&[("cache-control", "max-age=60")]);
    let answer = open(&house, coming).await;
    chunks.send(Ok("one".into())).await.unwrap();

    assert_eq!(read(answer).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    house.settled().await;
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn beyond_the_budget_answers_pass_unstored() {
    let mut tight = config();
    tight.in_flight_bytes = 8;
    let house = House::with(edge_cache::Policy::default(), tight);
    let (chunks, coming) = written(&[("cache-control", "max-age=60"), ("content-length", "9")]);
    let answer = open(&house, coming).await;
    chunks.send(Ok("123456789".into())).await.unwrap();
    drop(chunks);

    assert!(answer.headers()["cache-status"].to_str().unwrap().ends_with("detail=busy"));
    assert_eq!(read(answer).await.unwrap().body, "123456789");
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn a_slow_answer_does_not_replace_a_later_one() {
    let house = House::new();
    let (chunks, slow) = written(&[("cache-control", "max-age=60")]);
    let first = open(&house, slow).await;
    house.pass(1);
    let reload = get("/").header("cache-control", "no-cache");
    let later = crate::support::answer(&[("cache-control", "max-age=60")], "later");
    assert_eq!(house.send(reload, later).await.body, "later");

    chunks.send(Ok("earlier".into())).await.unwrap();
    drop(chunks);

    assert_eq!(read(first).await.unwrap().body, "earlier");
    house.settled().await;
    assert_eq!(house.send(get("/"), Response::new(crate::support::full(""))).await.body, "later");
}
