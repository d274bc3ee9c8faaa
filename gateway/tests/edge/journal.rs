//! What is remembered of requests that the application answers.

use std::sync::Arc;

use gateway::{Config, Rate, RateLimits, Record};

use crate::{
    routing::support::eventually,
    support::{Running, config, start},
};

/// The remembered requests for a path, the oldest first.
fn of(edge: &Running, path: &str) -> Vec<Arc<Record>> {
    edge.journal.recent(None, None, false).filter(|record| &*record.path == path).collect()
}

#[tokio::test]
async fn a_request_is_remembered_without_its_query_and_its_bytes_are_counted() {
    let edge = start(config());
    let mut client = edge.connect().await;

    client
        .send("GET /echo?token=hush HTTP/1.1\r\nHost: A.test:80\r\nAuthorization: hush\r\nX-Request-Id: mine\r\n\r\n")
        .await;
    client.answer().await;

    let [one] = &of(&edge, "/echo")[..] else { panic!("one is remembered") };
    assert_eq!((one.status, one.method.as_str(), one.host.as_deref()), (200, "GET", Some("a.test")));
    assert_eq!((one.request_id.as_str(), one.credential), ("mine", Some(u64::from(b'h'))));
    assert!(!format!("{one:?}").contains("hush"), "{one:?}");
    client.send("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello").await;
    client.answer().await;
    let two = of(&edge, "/echo").pop().unwrap();
    eventually("its end", || two.is_over()).await;
    assert_eq!(two.sent(), 5);
}

#[tokio::test]
async fn who_leaves_before_the_answer_is_remembered_as_such() {
    let edge = start(config());
    let mut client = edge.connect().await;
    client.send("GET /never HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    eventually("the call", || edge.calls() == 1).await;
    drop(client);

    eventually("the record", || of(&edge, "/never").first().is_some_and(|one| one.status == 499 && one.is_over()))
        .await;
}

#[tokio::test]
async fn who_is_refused_by_address_is_remembered_with_the_limit() {
    let address = Rate { per_minute: 1, burst: 1 };
    let usual = config();
    let edge = start(Config { rate_limits: RateLimits { address, ..usual.rate_limits }, ..usual });
    let mut client = edge.connect().await;

    for _ in 0..2 {
        client.send("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        client.answer().await;
    }

    let seen = of(&edge, "/x");
    assert_eq!(seen.iter().map(|record| record.status).collect::<Vec<_>>(), [200, 429]);
    assert_eq!(
        (seen[0].refused_by.len(), &*seen[1].refused_by[0], seen[1].host.as_deref()),
        (0, "address", Some("a.test"))
    );
    assert_eq!(edge.edge.limits()[0].refused, 1);
}

#[tokio::test]
async fn nothing_is_remembered_where_nothing_is_to_be() {
    let edge = start(Config { recent_requests: 0, ..config() });
    let mut client = edge.connect().await;
    client.send("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    client.answer().await;

    assert_eq!(edge.journal.recent(None, None, true).count(), 0);
    let mut tail = edge.journal.follow(Some(0));
    assert!(tail.read().records.is_empty() && !tail.read().more);
}
