//! A new process takes the sockets over: no connection fails, and what was written is there.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Engine, Server, on_both_engines};
use tokio::task::JoinSet;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that connects anew for each request.
fn fresh() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE);
    builder.tls_danger_accept_invalid_certs(true).build().unwrap()
}

fn addresses(server: &Server) -> Value {
    let file = server.data.join("holdfast.addresses.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

async fn no_connection_fails_while_another_process_takes_over(engine: Engine) {
    let server = Server::builder(BIN, engine).start().await;
    let operator = server.operator().await;
    operator.post("/api/v1/tenancy/roles", json!({ "name": "before", "permissions": [] })).await.expect(201);
    let before = addresses(&server);
    let urls = [("http", "http"), ("https", "https")]
        .map(|(scheme, name)| format!("{scheme}://{}/openapi.json", before[name].as_str().unwrap()));
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for task in 0..8 {
        let (url, stop, asked) = (urls[task % 2].clone(), Arc::clone(&stop), Arc::clone(&asked));
        load.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let answer = fresh().get(&url).send().await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
                assert_eq!(answer.status(), 200, "{url}");
                answer.bytes().await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
                asked.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    let mut after = before.clone();
    for _ in 0..2 {
        let data = server.data.clone();
        let upgrade = move || Command::new(BIN).arg("upgrade").arg("--data").arg(data).output().unwrap();
        let told = tokio::task::spawn_blocking(upgrade).await.unwrap();
        assert!(told.status.success(), "{}\n{}", String::from_utf8_lossy(&told.stderr), server.log_tail());
        let now = addresses(&server);
        assert_ne!(now["pid"], after["pid"]);
        assert_eq!((&now["http"], &now["https"], &now["ops"]), (&before["http"], &before["https"], &before["ops"]));
        after = now;
        let so_far = asked.load(Ordering::Relaxed);
        while asked.load(Ordering::Relaxed) < so_far + 16 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(done) = load.join_next().await {
        done.unwrap();
    }
    let roles = server.operator().await.get("/api/v1/tenancy/roles").await.expect(200);
    assert!(roles.to_string().contains("\"before\""), "{roles}");
    drop(Command::new("kill").args(["-KILL", &after["pid"].to_string()]).status());
}

on_both_engines!(no_connection_fails_while_another_process_takes_over);

#[tokio::test]
async fn a_binary_that_does_not_start_leaves_the_server_as_it_is() {
    let server = Server::builder(BIN, Engine::Sqlite).start().await;
    let before = addresses(&server);
    // A setting that the successor finds and can't read.
    std::fs::create_dir_all(server.data.parent().unwrap().join("config")).unwrap();
    std::fs::write(server.data.parent().unwrap().join("config/holdfast.toml"), "[server]\nhtpp = 1\n").unwrap();
    let pid = before["pid"].to_string();
    assert!(Command::new("kill").args(["-USR2", &pid]).status().unwrap().success());

    let begun = std::time::Instant::now();
    while !server.log().contains("this one serves on") {
        assert!(begun.elapsed() < PATIENCE, "{}", server.log_tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.client().get("/openapi.json").await.status, 200);
    assert_eq!(addresses(&server), before);
}
