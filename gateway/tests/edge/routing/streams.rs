//! What takes long: events, upgraded connections, clients that leave.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use gateway::RoutesFile;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::support::{Service, eventually, plain, routed};
use crate::support::{PATIENCE, config, sync_wrapper};

fn to(service: &Service, modifiers: &str) -> String {
    format!(
        "[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n{modifiers}\n{}",
        service.pool("p")
    )
}

/// Sends an event for each text that the test gives.
async fn events(next: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<&'static str>>>) -> Service {
    Service::start(move |_| {
        let next = Arc::clone(&next);
        async move {
            let events = stream::unfold(next, |next| async move {
                let event = next.lock().await.recv().await?;
                Some((Ok(Frame::data(Bytes::from_static(event.as_bytes()))), next))
            });
            let body = StreamBody::new(sync_wrapper(events)).boxed();
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    })
    .await
}

#[tokio::test]
async fn events_pass_one_by_one_and_keep_the_rules_they_began_with() {
    let (events_in, next) = mpsc::unbounded_channel();
    let service = events(Arc::new(tokio::sync::Mutex::new(next))).await;
    let edge = routed(config(), &to(&service, "modifiers.compression = {}\nmodifiers.cache = {}"));
    let mut client = edge.connect().await;

    client.send("GET /events HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    events_in.send("data: one\n\n").unwrap();
    assert_eq!(client.exactly(16).await, b"B\r\ndata: one\n\n\r\n");
    edge.routing.replace(RoutesFile::parse("").unwrap()).unwrap();
    events_in.send("data: two\n\n").unwrap();

    assert_eq!(client.exactly(16).await, b"B\r\ndata: two\n\n\r\n");
}

#[tokio::test]
async fn an_upgraded_connection_carries_bytes_both_ways_until_the_edge_closes() {
    let service = Service::start(|mut request: Request<Incoming>| async move {
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..length]).await.unwrap();
            }
        });
        let mut answer = plain("");
        *answer.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
        answer.headers_mut().insert("connection", "upgrade".parse().unwrap());
        answer.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        answer
    })
    .await;
    let edge = routed(config(), &to(&service, "modifiers.cache = {}\nmodifiers.compression = {}"));
    let mut client = edge.connect().await;

    client.send("GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("upgrade")), (101, Some("websocket")));
    assert_eq!(client.exactly(5).await, b"early");
    client.send(b"\0\xff\r\n").await;
    assert_eq!(client.exactly(4).await, b"\0\xff\r\n");

    timeout(PATIENCE, edge.routing.close()).await.unwrap();
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_request_at_the_service() {
    struct Gone(Arc<Semaphore>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }
    let left = Arc::new(Semaphore::new(0));
    let noted = Arc::clone(&left);
    let service = Service::start(move |_| {
        let gone = Gone(Arc::clone(&noted));
        async move {
            let _gone = gone;
            std::future::pending().await
        }
    })
    .await;
    let edge = routed(config(), &to(&service, ""));

    let mut client = edge.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the service is asked", || service.calls() == 1).await;
    drop(client);

    timeout(PATIENCE, left.acquire()).await.expect("the service is told").unwrap().forget();
}
