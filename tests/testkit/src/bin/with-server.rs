//! `with-server (sqlite|postgres) [SETTING=VALUE…] BINARY COMMAND…` runs a command against a fresh server, with these
//! environment variables, and ends with its status.
//!
//! The command finds in its environment `HOLDFAST_URL` and `HOLDFAST_KEY`, an API key of the operator, who may call
//! every operation. One more tenant is there to be worked on. For tools that aren't Rust tests, such as Schemathesis.
#![expect(clippy::print_stderr, reason = "it talks to whoever runs it")]

use std::process::{Command, ExitCode};

use testkit::{Engine, Server};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((engine, rest)) = arguments.split_first() else { return usage() };
    let settings: Vec<(&str, &str)> = rest.iter().map_while(|argument| argument.split_once('=')).collect();
    let [binary, program, rest @ ..] = &rest[settings.len()..] else { return usage() };
    let engine = match engine.as_str() {
        "sqlite" => Engine::Sqlite,
        "postgres" => Engine::Postgres,
        _ => return usage(),
    };

    let builder = Server::builder(binary, engine);
    let server = settings.into_iter().fold(builder, |builder, (name, value)| builder.env(name, value)).start().await;
    server.new_tenant("tools").await;
    let key = server.operator().await.api_key("tools").await;
    let secret = key.credential().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(rest).env("HOLDFAST_URL", key.base()).env("HOLDFAST_KEY", secret);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("{program} ended with {status}; the server said:\n{}", server.log_tail());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: with-server (sqlite|postgres) [SETTING=VALUE…] BINARY COMMAND [ARGUMENT…]");
    ExitCode::from(2)
}
