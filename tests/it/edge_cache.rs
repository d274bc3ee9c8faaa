//! The cache of routes, as operators reach it: purges by place, URL and surrogate key, hard and soft, in every process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, Client, Engine, Server, on_both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const PURGE: &str = "/api/v1/edge/cache/purge";
const PATIENCE: Duration = Duration::from_secs(20);

/// A service whose answers may be kept: each says how many there were before, and is named by what its path ends in.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let number = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let number = Arc::clone(&number);
            tokio::spawn(async move {
                let mut read = Vec::new();
                while stream.read_buf(&mut read).await.unwrap_or(0) > 0 {
                    while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                        let head = String::from_utf8(read.drain(..end + 4).collect()).unwrap();
                        if stream.write_all(answer(&head, &number).as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

fn answer(head: &str, number: &AtomicUsize) -> String {
    let path = head.split(' ').nth(1).unwrap();
    let name = path.split('?').next().unwrap().rsplit('/').next().unwrap();
    if head.to_ascii_lowercase().contains("if-none-match") {
        return "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n".to_owned();
    }
    let body = format!("{path} {}", number.fetch_add(1, Ordering::SeqCst));
    format!(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"1\"\r\nSurrogate-Key: all {name}\r\n\
         Cache-Tag: tag-{name}, tags\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn keeping(operator: &Client, modifiers: Value) {
    let targets = json!([{ "url": format!("http://{}", service().await) }]);
    let pool = json!({ "name": "one", "settings": { "targets": targets, "reach": "anywhere" } });
    operator.post("/api/v1/edge/pools", pool).await.expect(201);
    let route = json!({
        "name": "shop",
        "match": { "path": { "prefix": "/shop" } },
        "action": { "kind": "upstream", "pool": "one" },
        "modifiers": { "cache": modifiers },
    });
    operator.post("/api/v1/edge/routes", route).await.expect(201);
}

fn is_hit(answer: &Answer) -> bool {
    answer.header("cache-status").unwrap_or_default().contains("hit")
}

async fn held(visitor: &Client, paths: &[&str]) -> Vec<bool> {
    let mut held = Vec::new();
    for path in paths {
        held.push(is_hit(&visitor.get(path).await));
    }
    held
}

async fn purged(operator: &Client, what: Value) -> i64 {
    operator.post(PURGE, what).await.expect(200)["answers"].as_i64().unwrap()
}

async fn what_is_named_is_purged_and_nothing_else(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    keeping(&operator, json!({ "ignored_query": ["utm_*"] })).await;
    let paths = ["/shop/a?id=1&utm_x=7", "/shop/b", "/shop/c/d"];
    assert_eq!(held(&visitor, &paths).await, [false, false, false]);
    assert_eq!(held(&visitor, &paths).await, [true, true, true]);
    let first = visitor.get("/shop/b").await;
    assert_eq!((first.header("surrogate-key"), first.header("cache-tag")), (None, None));

    let url = format!("{}/shop/a?id=1&utm_y=8", visitor.base());
    assert_eq!(purged(&operator, json!({ "url": url })).await, 1);
    assert_eq!(held(&visitor, &paths).await, [false, true, true]);
    assert_eq!(purged(&operator, json!({ "keys": ["b", "tag-d", "none"] })).await, 2);
    assert_eq!(held(&visitor, &paths).await, [true, false, false]);
    assert_eq!(purged(&operator, json!({ "host": "other.test" })).await, 0);
    assert_eq!(purged(&operator, json!({ "prefix": "/shop/c/" })).await, 1);
    assert_eq!(held(&visitor, &paths).await, [true, true, false]);
    assert_eq!(purged(&operator, json!({ "everything": true })).await, 3);

    // The older form, and GraphQL.
    assert_eq!(held(&visitor, &paths).await, [false, false, false]);
    let dropped = operator.delete("/api/v1/edge/cache?prefix=%2Fshop%2Fb").await.expect(200);
    assert_eq!(dropped["answers"], 1);
    let mutation = "mutation($input: PurgeAnswers!) { purgeAnswers(input: $input) { answers } }";
    let answer = operator.graphql(mutation, json!({ "input": { "keys": ["all"] } })).await;
    assert_eq!(answer.data()["purgeAnswers"]["answers"], 2);
}

async fn a_soft_purge_keeps_answers_as_stale_ones(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    keeping(&operator, json!({ "stale_while_revalidate": 600 })).await;
    let first = visitor.get("/shop/a").await.body;

    assert_eq!(purged(&operator, json!({ "keys": ["a"], "soft": true })).await, 1);

    let stale = visitor.get("/shop/a").await;
    assert!(is_hit(&stale), "{}", stale.describe());
    assert_eq!(stale.body, first, "shown while the service is asked");
    let begun = Instant::now();
    while visitor.get("/shop/a").await.header("age").is_none() {
        assert!(begun.elapsed() < PATIENCE);
    }
    assert_eq!(visitor.get("/shop/a").await.body, first, "confirmed by a 304");
}

async fn what_makes_no_sense_is_refused_and_only_operators_purge(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for wrong in [
        json!({}),
        json!({ "soft": true }),
        json!({ "everything": false }),
        json!({ "everything": true, "host": "a.test" }),
        json!({ "url": "/shop/" }),
        json!({ "url": "ftp://a.test/" }),
        json!({ "prefix": "shop" }),
        json!({ "host": "https://a.test" }),
        json!({ "keys": ["two words"] }),
        json!({ "keys": many }),
    ] {
        operator.post(PURGE, wrong).await.problem(400, "edge.purge_invalid");
    }
    let owner = server.new_tenant("acme").await.owner;
    owner.post(PURGE, json!({ "everything": true })).await.problem(403, "kernel.forbidden");
}

async fn names_for_purging_are_shown_where_a_route_says_so(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    keeping(&operator, json!({ "shows_keys": true })).await;

    for _ in 0..2 {
        let answer = visitor.get("/shop/a").await;
        assert_eq!(answer.header("surrogate-key"), Some("all a"));
        assert_eq!(answer.header("cache-tag"), Some("tag-a, tags"));
    }
}

on_both_engines!(
    what_is_named_is_purged_and_nothing_else,
    a_soft_purge_keeps_answers_as_stale_ones,
    what_makes_no_sense_is_refused_and_only_operators_purge,
    names_for_purging_are_shown_where_a_route_says_so,
);

#[tokio::test]
async fn every_process_follows_a_purge() {
    let key = "07".repeat(32);
    let first = Server::builder(BIN, Engine::Postgres).env("HOLDFAST_ROOT_KEY", &key).start().await;
    let second = Server::builder(BIN, Engine::Sqlite).database(first.database_url()).env("HOLDFAST_ROOT_KEY", &key);
    let second = second.without_operator().start().await;
    let operator = first.operator().await;
    keeping(&operator, json!({})).await;
    let begun = Instant::now();
    while !is_hit(&second.client().get("/shop/a").await) {
        assert!(begun.elapsed() < PATIENCE, "the second process has no route");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert_eq!(purged(&operator, json!({ "keys": ["a"] })).await, 0, "the first one had nothing");

    let begun = Instant::now();
    while is_hit(&second.client().get("/shop/a").await) {
        assert!(begun.elapsed() < PATIENCE, "the second process does not follow");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A host that has no port, since a process that starts again has another.
fn shopper(server: &Server) -> Client {
    server.client().with("host", "shop.test")
}

/// Answers that tell whether the disk is in use: each is asked for once in the life of a process.
fn signs() -> impl Iterator<Item = String> {
    (0..200).map(|number| format!("/shop/sign{number}"))
}

/// Waits until what an earlier process left is used.
async fn disk_in_use(server: &Server) {
    let visitor = shopper(server);
    for sign in signs() {
        if is_hit(&visitor.get(&sign).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing comes back from the disk");
}

#[tokio::test]
async fn what_is_on_the_disk_outlasts_the_process_and_a_purge_meanwhile_reaches_it() {
    let key = "07".repeat(32);
    let first = Server::builder(BIN, Engine::Postgres).env("HOLDFAST_ROOT_KEY", &key).start().await;
    let operator = first.operator().await;
    keeping(&operator, json!({})).await;
    let second = Server::builder(BIN, Engine::Sqlite).database(first.database_url()).env("HOLDFAST_ROOT_KEY", &key);
    let second = second.env("HOLDFAST__GATEWAY__CACHE__DISK", "64MiB").env("HOLDFAST__GATEWAY__CACHE__DISK_FROM", "0");
    let mut second = second.without_operator().start().await;
    let all: Vec<String> = signs().chain(["/shop/a".to_owned(), "/shop/b".to_owned()]).collect();
    for path in &all {
        shopper(&second).get(path).await;
    }
    let before = shopper(&second).get("/shop/a").await.body;

    second.restart().await;
    disk_in_use(&second).await;
    let again = shopper(&second).get("/shop/a").await;
    assert!(is_hit(&again) && again.body == before, "{}", again.describe());

    second.terminate();
    purged(&operator, json!({ "keys": ["a"] })).await;
    second.restart().await;
    disk_in_use(&second).await;
    assert!(!is_hit(&shopper(&second).get("/shop/a").await), "it was purged while the process was away");

    second.kill9();
    second.restart().await;
    disk_in_use(&second).await;
    assert!(is_hit(&shopper(&second).get("/shop/b").await), "a killed process leaves what was written");
}
