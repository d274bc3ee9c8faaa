//! The composition root: command line, settings and wiring. The only place that names every module.
#![expect(unreachable_pub, reason = "a binary has no surface; `pub` here means for the other rooms of the root")]

mod addresses;
mod answer;
mod api;
mod assets;
mod cli;
mod commands;
mod config;
mod data_folder;
mod domain_certificates;
mod door;
mod evidence;
mod gatekeeper;
mod graphql_socket;
mod handover;
mod house;
mod identify;
mod maintenance;
mod nearest;
mod open_files;
mod operate;
mod overview;
mod routes;
mod schema;
mod serve;
mod steering;
mod telemetry;
mod traffic;
mod web_graphql;
mod web_socket;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, KnowledgeAction, KnowledgeArgs};
use mimalloc::MiMalloc;

/// glibc keeps the 19 MiB that hashing a password takes, once for each arena; this one gives them back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            telemetry::say_error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Runs one command to its end.
fn run(cli: Cli) -> Result<ExitCode, commands::Failure> {
    match cli.command {
        Command::Serve(args) => commands::blocking(serve::run(&args.settings)),
        Command::Upgrade(args) => commands::upgrade(&args.settings),
        Command::Migrate(args) => commands::blocking(commands::migrate(&args)),
        Command::Doctor(args) => commands::blocking(commands::doctor(&args.settings)),
        Command::Routes(args) => commands::routes(&args),
        Command::Openapi => commands::openapi(),
        Command::GraphqlSchema => commands::graphql_schema(),
        Command::Knowledge(KnowledgeArgs { action: KnowledgeAction::Evaluate(args) }) => {
            commands::blocking(commands::evaluate(&args))
        }
        Command::ExtractDocument => return Ok(knowledge::reader_process()),
        Command::Version => commands::version(),
    }
    .map(|()| ExitCode::SUCCESS)
}
