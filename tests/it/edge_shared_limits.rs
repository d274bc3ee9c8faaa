//! Limits that processes share over Redis and NATS: two processes, one limit, and what happens without the store.

use std::fs;
use std::time::{Duration, Instant};

use testkit::{Broker, Engine, Server};

use crate::edge_access::routed;

const ROUTES: &str = r#"
    [[routes]]
    id = "shared"
    match.path = { prefix = "/shared" }
    action = { kind = "respond", status = 204 }
    modifiers.rate_limits = ["together"]
"#;
const AWAY: &str = "limits that replicas share go by local shares";
const BACK: &str = "limits are shared among replicas again";

/// A process on a database of its own, so that nothing but the broker can tell it of another.
async fn process(store: &str, url: &str, root_key: Option<&str>) -> Server {
    let limit = r#"[{name="together",by=["route"],per_minute=1,burst=20,shared=true}]"#;
    let mut settings = vec![
        ("HOLDFAST__GATEWAY__LIMITS", limit),
        ("HOLDFAST__EDGE__SHARED_LIMITS__STORE", store),
        ("HOLDFAST__EDGE__SHARED_LIMITS__URL", url),
    ];
    settings.extend(root_key.map(|key| ("HOLDFAST_ROOT_KEY", key)));
    routed(Engine::Sqlite, ROUTES, ([127, 0, 0, 1], 9).into(), &settings).await
}

async fn status(server: &Server) -> u16 {
    server.client().get("/shared").await.status
}

/// Waits until the line is in the log so often, and fails if it is there more often.
async fn said(server: &Server, line: &str, times: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while server.log().matches(line).count() < times {
        assert!(Instant::now() < deadline, "{line:?} is not in the log:\n{}", server.log());
        assert!([204, 429].contains(&status(server).await));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.log().matches(line).count(), times);
}

async fn replicas_share_a_limit_and_survive_its_store(store: &str, mut broker: Broker) {
    let url = broker.url();
    let one = process(store, &url, None).await;
    let root_key = fs::read_to_string(one.data.join("root.key")).unwrap();
    let other = process(store, &url, Some(root_key.trim())).await;
    // Until each has heard of the other.
    tokio::time::sleep(Duration::from_secs(6)).await;

    let mut admitted = 0;
    for _ in 0..60 {
        for server in [&one, &other] {
            admitted += usize::from(status(server).await == 204);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Each may spend its share before it is heard; alone they would admit 40.
    assert!((20..40).contains(&admitted), "{admitted}");

    broker.kill9();
    said(&one, AWAY, 1).await;
    said(&other, AWAY, 1).await;
    for _ in 0..20 {
        assert!([204, 429].contains(&status(&one).await));
    }
    broker.resume();
    said(&one, BACK, 1).await;
    said(&other, BACK, 1).await;
    for server in [&one, &other] {
        said(server, AWAY, 1).await;
        assert!(!server.log().contains(broker.password()));
    }
}

async fn a_store_that_is_away_keeps_nothing_from_starting(store: &str, mut broker: Broker) {
    broker.kill9();
    let server = process(store, &broker.url(), None).await;

    assert_eq!(status(&server).await, 204);
    said(&server, AWAY, 1).await;
    let doctor = server.cli(&["doctor"]);
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!doctor.status.success() && found.contains("WRONG shared limits"), "{found}");

    broker.resume();
    said(&server, BACK, 1).await;
    let found = String::from_utf8_lossy(&server.cli(&["doctor"]).stdout).into_owned();
    assert!(found.contains("ok    shared limits"), "{found}");
    assert!(!found.contains(broker.password()), "{found}");
}

#[test]
fn a_store_without_its_address_is_refused_with_what_to_write() {
    let builder = Server::builder(env!("CARGO_BIN_EXE_holdfast"), Engine::Sqlite);

    let (status, printed) = builder.env("HOLDFAST__EDGE__SHARED_LIMITS__STORE", "redis").run();

    assert!(!status.success());
    assert!(printed.contains("edge.shared_limits: store = \"redis\" needs a url such as"), "{printed}");
}

#[tokio::test]
async fn replicas_share_a_limit_over_redis() {
    replicas_share_a_limit_and_survive_its_store("redis", Broker::redis()).await;
}

#[tokio::test]
async fn replicas_share_a_limit_over_nats() {
    replicas_share_a_limit_and_survive_its_store("nats", Broker::nats()).await;
}

#[tokio::test]
async fn a_server_starts_without_redis() {
    a_store_that_is_away_keeps_nothing_from_starting("redis", Broker::redis()).await;
}

#[tokio::test]
async fn a_server_starts_without_nats() {
    a_store_that_is_away_keeps_nothing_from_starting("nats", Broker::nats()).await;
}
