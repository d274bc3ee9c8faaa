//! The README's tour, command by command: what it shows is what one sees. Its `python3` needs the package `openai`, which
//! `make test` puts into the environment that it goes by.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::{Engine, Server, on_both_engines};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const START: &str = "HOLDFAST_SETUP_EMAIL=";

/// The code blocks of the tour: their language and text.
fn blocks() -> Vec<(String, String)> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let tour = readme.split("\n## Tour\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let code = tour.split("```").skip(1).step_by(2);
    code.map(|block| block.split_once('\n').unwrap()).map(|(kind, text)| (kind.to_owned(), text.to_owned())).collect()
}

async fn the_tour_shows_what_one_sees(engine: Engine) {
    let blocks = blocks();
    let (start, steps) = blocks.split_first().unwrap();
    let password = start.1.split('\'').nth(1).unwrap();
    assert!(start.1.starts_with(START), "the first block starts the server");
    let email = start.1[START.len()..].split(' ').next().unwrap();
    let server = Server::builder(BIN, engine)
        .env("HOLDFAST_SETUP_EMAIL", email)
        .env("HOLDFAST_SETUP_PASSWORD", password)
        // Where `make models` puts them, as seen from where `make run` is called.
        .env("HOLDFAST__KNOWLEDGE__MODELS", concat!(env!("CARGO_MANIFEST_DIR"), "/models"))
        .start()
        .await;
    let here = |text: &str| {
        text.replace("localhost:8080", &format!("localhost:{}", server.http.port()))
            .replace("localhost:8443", &format!("localhost:{}", server.https.port()))
            .replace("127.0.0.1:9090", &server.ops.to_string())
            .replace("data/tls", server.data.join("tls").to_str().unwrap())
    };
    let of_kind = |shell: bool| steps.iter().filter(move |(kind, _)| (kind == "sh") == shell);
    let script: String = of_kind(true).map(|(_, text)| here(text)).collect();
    let expected: String = of_kind(false).map(|(_, text)| here(text)).collect();

    let folder = tempfile::tempdir().unwrap();
    let seen = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();

    assert_eq!(String::from_utf8_lossy(&seen.stdout), expected, "{}", String::from_utf8_lossy(&seen.stderr));
}

on_both_engines!(the_tour_shows_what_one_sees);
