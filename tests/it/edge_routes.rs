//! Routes and pools as rows: through both APIs, checked as a whole, in force at once, changed under load without a lost
//! request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Client, Engine, Server, on_both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const ROUTES: &str = "/api/v1/edge/routes";
const POOLS: &str = "/api/v1/edge/pools";
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that answers everything with its name.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn service(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = Vec::new();
                while stream.read_buf(&mut read).await.unwrap_or(0) > 0 {
                    while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                        read.drain(..end + 4);
                        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return Ok::<_, Infallible>(());
                        }
                    }
                }
                Ok(())
            });
        }
    });
    address
}

fn pool(name: &str, at: SocketAddr) -> Value {
    json!({ "name": name, "settings": { "targets": [{ "url": format!("http://{at}") }], "reach": "anywhere" } })
}

fn route(name: &str, path: &str, pool: &str) -> Value {
    json!({ "name": name, "match": { "path": { "prefix": path } }, "action": { "kind": "upstream", "pool": pool } })
}

async fn says(client: &Client, path: &str) -> String {
    String::from_utf8(client.get(path).await.body).unwrap()
}

fn version(object: &Value) -> String {
    format!("\"{}\"", object["version"])
}

#[expect(clippy::disallowed_methods, reason = "the load is waited for")]
async fn routes_change_live(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    let (one, two) = (service("one").await, service("two").await);
    operator.post(POOLS, pool("one", one)).await.expect(201);
    let pool_two = operator.post(POOLS, pool("two", two)).await.expect(201);

    let made = operator.post(ROUTES, route("shop", "/shop", "one")).await.expect(201);
    assert_eq!(says(&visitor, "/shop/cart").await, "one");
    let path = format!("{ROUTES}/{}", made["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).await.expect(200)["match"], json!({ "path": { "prefix": "/shop" } }));

    // Under load, each answer comes from one service or the other, and none is lost.
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = (0..8).map(|_| {
        let (visitor, stop, asked) = (visitor.clone(), Arc::clone(&stop), Arc::clone(&asked));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let body = says(&visitor, "/shop/cart").await;
                assert!(["one", "two"].contains(&body.as_str()), "{body}");
                asked.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let load: Vec<_> = load.collect();
    let mut known = made;
    for round in 0..20 {
        let pool = if round % 2 == 0 { "two" } else { "one" };
        let change = json!({ "action": { "pool": pool } });
        known = operator.with("if-match", &version(&known)).patch(&path, change).await.expect(200);
        assert_eq!(known["action"], json!({ "kind": "upstream", "pool": pool }));
        assert_eq!(says(&visitor, "/shop/x").await, pool, "in force when the change is answered");
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(asked.load(Ordering::Relaxed) > 20);

    let verdict = json!({ "host": "a.test", "target": "/shop/x?y=1" });
    let verdict = operator.post("/api/v1/edge/routing/explain", verdict).await.expect(200);
    assert_eq!((&verdict["route"], &verdict["outcome"]["target"]), (&json!("shop"), &json!("/shop/x?y=1")));
    let upstreams = operator.get("/api/v1/edge/upstreams").await.expect(200);
    assert_eq!(upstreams["pools"][0]["name"], "one", "{upstreams}");
    let status = operator.get("/api/v1/edge/routing").await.expect(200);
    assert_eq!((&status["applied"], &status["routes"], &status["pools"]), (&status["version"], &json!(1), &json!(2)));

    let two = format!("{POOLS}/{}", pool_two["id"].as_str().unwrap());
    operator.with("if-match", &version(&pool_two)).delete(&two).await.expect(204);
    operator.with("if-match", &version(&known)).delete(&path).await.expect(204);
    assert_eq!(visitor.get("/shop/cart").await.status, 404);
}

async fn a_change_that_does_not_hold_changes_nothing(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    let pool_one = operator.post(POOLS, pool("one", service("one").await)).await.expect(201);
    let made = operator.post(ROUTES, route("shop", "/shop", "one")).await.expect(201);
    let path = format!("{ROUTES}/{}", made["id"].as_str().unwrap());
    let refused = |answer: testkit::Answer, expected: &[(&str, &str)]| {
        let problem = answer.problem(400, "edge.routes_invalid");
        let errors = problem["errors"].as_array().unwrap();
        let told: Vec<_> =
            errors.iter().map(|it| (it["path"].as_str().unwrap(), it["code"].as_str().unwrap())).collect();
        assert_eq!(told, expected, "{problem}");
    };

    refused(operator.post(ROUTES, route("cart", "/cart", "gone")).await, &[("action.pool", "routes.pool_unknown")]);
    let shape = json!({ "name": "cart", "action": { "kind": "dance" } });
    refused(operator.post(ROUTES, shape).await, &[("", "routes.shape_invalid")]);
    refused(operator.post(ROUTES, route("twin", "/shop", "one")).await, &[("match", "routes.conflict")]);
    let change = json!({ "match": { "path": { "prefix": "shop" } } });
    refused(operator.with("if-match", "*").patch(&path, change).await, &[("match.path", "routes.path_invalid")]);
    let pool_path = format!("{POOLS}/{}", pool_one["id"].as_str().unwrap());
    refused(operator.with("if-match", "*").delete(&pool_path).await, &[("shop.action.pool", "routes.pool_unknown")]);
    let named_alike = operator.post(POOLS, pool("shop", service("two").await)).await.expect(201);
    let change = json!({ "action": { "pool": "shop" } });
    operator.with("if-match", "*").patch(&path, change).await.expect(200);
    let alike = format!("{POOLS}/{}", named_alike["id"].as_str().unwrap());
    refused(operator.with("if-match", "*").delete(&alike).await, &[("shop.action.pool", "routes.pool_unknown")]);
    operator.with("if-match", "*").patch(&path, json!({ "action": { "pool": "one" } })).await.expect(200);
    let settings = json!({ "settings": { "targets": [] } });
    refused(
        operator.with("if-match", "*").patch(&pool_path, settings).await,
        &[("settings.targets", "routes.pool_invalid")],
    );

    operator.post(ROUTES, route("shop", "/other", "one")).await.problem(409, "edge.name_taken");
    operator.post(ROUTES, route("no name", "/other", "one")).await.problem(400, "edge.name_invalid");
    operator.patch(&path, json!({ "priority": 1 })).await.problem(428, "kernel.if_match_required");
    operator.with("if-match", "\"9\"").patch(&path, json!({ "priority": 1 })).await.problem(412, "kernel.stale");
    assert_eq!(says(&visitor, "/shop").await, "one");
    assert_eq!(operator.get(ROUTES).await.expect(200)["items"].as_array().unwrap().len(), 1);
}

async fn only_operators_steer(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let owner = server.new_tenant("acme").await.owner;
    for path in [ROUTES, POOLS, "/api/v1/edge/routing", "/api/v1/edge/upstreams"] {
        owner.get(path).await.problem(403, "kernel.forbidden");
        server.client().get(path).await.problem(401, "kernel.unauthenticated");
    }
    owner.post(ROUTES, route("mine", "/", "one")).await.problem(403, "kernel.forbidden");
    let query = "mutation { createPool(input: { name: \"x\", settings: {} }) { id } }";
    let answer = owner.graphql(query, json!({})).await;
    assert!(answer.describe().contains("kernel.forbidden"), "{}", answer.describe());
}

async fn guarded_pools_reach_no_private_address(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let (operator, visitor) = (server.operator().await, server.client());
    let at = service("inside").await;
    let guarded = json!({ "name": "one", "settings": { "targets": [{ "url": format!("http://{at}") }] } });
    operator.post(POOLS, guarded).await.expect(201);
    operator.post(ROUTES, route("shop", "/shop", "one")).await.expect(201);

    assert_ne!(says(&visitor, "/shop").await, "inside");
    assert!(visitor.get("/shop").await.status >= 500);
}

on_both_engines!(
    routes_change_live,
    a_change_that_does_not_hold_changes_nothing,
    only_operators_steer,
    guarded_pools_reach_no_private_address,
);

#[tokio::test]
async fn another_process_follows_and_a_restart_remembers() {
    let key = "07".repeat(32);
    let mut first = Server::builder(BIN, Engine::Postgres).env("HOLDFAST_ROOT_KEY", &key).start().await;
    let second = Server::builder(BIN, Engine::Sqlite).database(first.database_url()).env("HOLDFAST_ROOT_KEY", &key);
    let second = second.without_operator().start().await;
    let operator = first.operator().await;
    operator.post(POOLS, pool("one", service("one").await)).await.expect(201);
    operator.post(ROUTES, route("shop", "/shop", "one")).await.expect(201);

    let begun = Instant::now();
    while says(&second.client(), "/shop").await != "one" {
        assert!(begun.elapsed() < PATIENCE, "the second process does not follow");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.restart().await;
    assert_eq!(says(&first.client(), "/shop").await, "one");
}
