//! When the client leaves, the upstream learns of it.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use crate::support::{Upstream, eventually, fixture, get, post};

/// Tells when it is dropped.
struct Dropped(Arc<Semaphore>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// `/head` never answers, `/body` never ends.
async fn upstream() -> (Upstream, Arc<Semaphore>) {
    let dropped = Arc::new(Semaphore::new(0));
    let kept = Arc::clone(&dropped);
    let upstream = Upstream::start(move |request: Request<Incoming>| {
        let guard = Dropped(Arc::clone(&kept));
        async move {
            if request.uri().path() == "/head" {
                let _held = (guard, request);
                return std::future::pending().await;
            }
            let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"first")))]);
            let rest = stream::unfold(guard, |guard| async move {
                std::future::pending::<()>().await;
                Some((Ok(Frame::data(Bytes::new())), guard))
            });
            Response::new(StreamBody::new(first.chain(rest)).boxed_unsync())
        }
    })
    .await;
    (upstream, dropped)
}

#[tokio::test]
async fn giving_up_before_the_head_reaches_the_upstream() {
    let (upstream, dropped) = upstream().await;
    for scheme in ["http", "h2c"] {
        let fixture = fixture(&[format!("{scheme}://{}", upstream.address)], "");
        for request in [get("/head"), post("/head", "body")] {
            let before = upstream.seen.requests();
            let sending = fixture.pool.send(request, crate::support::context());
            tokio::select! {
                outcome = sending => panic!("{outcome:?}"),
                () = eventually("it arrives", || upstream.seen.requests() > before) => {}
            }
            dropped.acquire().await.unwrap().forget();
            eventually("its place is free", || fixture.status().targets[0].in_flight == 0).await;
        }
    }
}

#[tokio::test]
async fn leaving_in_the_middle_of_the_body_reaches_the_upstream() {
    let (upstream, dropped) = upstream().await;
    for scheme in ["http", "h2c"] {
        let fixture = fixture(&[format!("{scheme}://{}", upstream.address)], "");
        let mut body = fixture.send(get("/body")).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
        drop(body);
        dropped.acquire().await.unwrap().forget();
        assert_eq!(fixture.status().targets[0].in_flight, 0);
        assert_eq!(fixture.status().targets[0].failures, 0);
    }
}
