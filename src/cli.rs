//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A backend in one process: edge, identity, tenants, audit, events, jobs, REST, GraphQL and a console.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve HTTP, HTTPS and the operators' listener until told to stop
    #[command(after_help = "Example:\n  holdfast serve --data ./data --http 127.0.0.1:8080")]
    Serve(ServeArgs),
    /// Apply, take back or show schema steps
    #[command(
        after_help = "Example:\n  HOLDFAST__DATABASE__URL=postgres://owner@localhost/holdfast holdfast migrate up"
    )]
    Migrate(MigrateArgs),
    /// Check settings, database, data folder, clock and ports, and say how to mend what is wrong
    #[command(after_help = "Example:\n  holdfast doctor --data ./data")]
    Doctor(ServeArgs),
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  holdfast openapi > web-admin/openapi.json")]
    Openapi,
    /// Print the GraphQL schema
    #[command(after_help = "Example:\n  holdfast graphql-schema > web-admin/schema.graphql")]
    GraphqlSchema,
    /// Print the version and what it was built with
    #[command(after_help = "Example:\n  holdfast version")]
    Version,
}

/// `serve` and `doctor`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: MigrateAction,
}

/// What `migrate` does.
#[derive(Debug, Subcommand)]
pub enum MigrateAction {
    /// Apply all pending steps
    #[command(after_help = "Example:\n  holdfast migrate up --data ./data")]
    Up(ServeArgs),
    /// Take back the newest steps; their data goes with them
    #[command(after_help = "Example:\n  holdfast migrate down --steps 1 --yes")]
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Confirms that data may go.
        #[arg(long)]
        yes: bool,
        /// Where settings come from.
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Show each step and whether it is applied
    #[command(after_help = "Example:\n  holdfast migrate status --data ./data")]
    Status(ServeArgs),
}

/// Flags outrank `HOLDFAST__SECTION__KEY`, which outranks the file, which outranks the defaults.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// The settings file instead of config/holdfast.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder that holds all state
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The HTTP listener; port 0 picks a free one
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// The HTTPS listener
    #[arg(long, value_name = "ADDR")]
    pub https: Option<SocketAddr>,
    /// The operators' listener: /healthz, /readyz, /metrics
    #[arg(long, value_name = "ADDR")]
    pub ops: Option<SocketAddr>,
}
