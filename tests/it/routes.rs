//! The file of routes: through the real binary, read again at SIGHUP, checked and explained on the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::{Engine, Server};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const PATIENCE: Duration = Duration::from_secs(30);
const FILE: &str = "HOLDFAST__GATEWAY__ROUTING__FILE";

fn fixed(body: &str) -> String {
    format!(
        "[[routes]]\nid = \"hello\"\nmatch.path = {{ exact = \"/hello\" }}\n\
         action = {{ kind = \"respond\", status = 200, body = \"{body}\" }}\n"
    )
}

/// Asks until it holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within the test's patience: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_file_of_routes_is_in_force_and_read_again_at_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    fs::write(&file, fixed("one")).unwrap();
    let server = Server::builder(BIN, Engine::Sqlite).env(FILE, file.to_str().unwrap()).start().await;
    let client = server.client();
    let says = async || String::from_utf8(client.get("/hello").await.body).unwrap();
    assert_eq!(says().await, "one");
    assert_eq!(client.get("/openapi.json").await.status, 200);

    fs::write(&file, fixed("two")).unwrap();
    server.hang_up();
    eventually("the new answer", async || says().await == "two").await;

    fs::write(&file, fixed("three").replace("200", "99")).unwrap();
    server.hang_up();
    eventually("the problem in the log", async || server.log().contains("routes.status_invalid")).await;
    assert_eq!(says().await, "two");

    let log = server.log();
    assert!(log.lines().any(|line| line.contains("edge_route") && line.contains("hello")), "{log}");
    let metrics = String::from_utf8(server.ops().get("/metrics").await.body).unwrap();
    assert!(metrics.contains("holdfast_edge_route_requests_total{route=\"hello\",status=\"2xx\"}"), "{metrics}");
}

#[tokio::test]
async fn a_bad_file_of_routes_keeps_the_server_from_starting_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    fs::write(&file, fixed("one").replace("200", "99").replace("/hello", "hello")).unwrap();

    let (status, printed) = Server::builder(BIN, Engine::Sqlite).env(FILE, file.to_str().unwrap()).run();

    assert!(!status.success());
    for part in ["routes[0].match.path", "routes.path_invalid", "routes[0].action.status", "routes.status_invalid"] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
}

fn routes(arguments: &[&str], file: &Path) -> (bool, String) {
    let output: Output = Command::new(BIN).arg("routes").args(arguments).arg(file).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn the_command_line_checks_a_file_and_explains_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.toml"), folder.path().join("bad.toml"));
    fs::write(&good, fixed("one")).unwrap();
    fs::write(&bad, fixed("one").replace("respond", "upstream")).unwrap();

    assert_eq!(routes(&["check"], &good), (true, "The file is good: routes 1, pools 0.\n".to_owned()));
    let (fine, text) = routes(&["check"], &bad);
    assert!(!fine && text.contains("routes[0]: ") && text.contains("routes.shape_invalid"), "{text}");

    let (fine, text) = routes(&["explain", "--host", "a.test", "--path", "/hello?x=1"], &good);
    assert!(fine && text.contains("hello: takes the request") && text.contains("\"target\": \"/hello?x=1\""), "{text}");
    let (fine, text) = routes(&["explain", "--path", "/other"], &good);
    assert!(fine && text.contains("hello: does not match: path") && text.contains("No route takes"), "{text}");
    let (fine, text) = routes(&["explain", "--path", "/a/../b"], &good);
    assert!(!fine && text.contains("edge.path"), "{text}");
}
