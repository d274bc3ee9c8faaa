//! The command line.

use std::net::{IpAddr, SocketAddr};
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
    /// Have a running server hand its sockets to the binary that now stands in its place, without a failed connection
    #[command(
        after_help = "Example:\n  install holdfast-new /usr/local/bin/holdfast && holdfast upgrade --data ./data"
    )]
    Upgrade(ServeArgs),
    /// Apply, take back or show schema steps
    #[command(
        after_help = "Example:\n  HOLDFAST__DATABASE__URL=postgres://owner@localhost/holdfast holdfast migrate up"
    )]
    Migrate(MigrateArgs),
    /// Check settings, database, data folder, clock and ports, and say how to mend what is wrong
    #[command(after_help = "Example:\n  holdfast doctor --data ./data")]
    Doctor(ServeArgs),
    /// Measure how well search finds what people judged to be relevant
    Knowledge(KnowledgeArgs),
    /// Check a file of routes, or say what would happen to a request
    Routes(RoutesArgs),
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  holdfast openapi > web-admin/openapi.json")]
    Openapi,
    /// Print the GraphQL schema
    #[command(after_help = "Example:\n  holdfast graphql-schema > web-admin/schema.graphql")]
    GraphqlSchema,
    /// Read one document from the input and answer with its text: how the server reads what people upload
    #[command(name = knowledge::READER_COMMAND, hide = true)]
    ExtractDocument,
    /// Print the version and what it was built with
    #[command(after_help = "Example:\n  holdfast version")]
    Version,
}

/// `serve`, `upgrade` and `doctor`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `knowledge`.
#[derive(Debug, Args)]
pub struct KnowledgeArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: KnowledgeAction,
}

/// What `knowledge` does.
#[derive(Debug, Subcommand)]
pub enum KnowledgeAction {
    /// Load a judged set (corpus.jsonl, queries.jsonl, qrels.tsv, as BEIR has them) and print how well it is searched
    #[command(after_help = "Example:\n  holdfast knowledge evaluate --set ./scifact --model all-minilm-l6-v2-int8")]
    Evaluate(EvaluateArgs),
}

/// `knowledge evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The folder of the set
    #[arg(long, value_name = "DIR")]
    pub set: PathBuf,
    /// The embedding model; the default one when left out
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Where settings come from; data folder and database are temporary ones.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `routes`.
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: RoutesAction,
}

/// What `routes` does.
#[derive(Debug, Subcommand)]
pub enum RoutesAction {
    /// List everything that is wrong with a file of routes
    #[command(after_help = "Example:\n  holdfast routes check routes.toml")]
    Check(CheckArgs),
    /// Say which route takes a request, why the others don't, and what is done with it
    #[command(
        after_help = "Example:\n  holdfast routes explain routes.toml --method GET --host shop.example --path '/api/x?y=1'"
    )]
    Explain(ExplainArgs),
}

/// `routes check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The file
    pub file: PathBuf,
    /// The settings that hold the limits, instead of config/holdfast.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `routes explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The file
    pub file: PathBuf,
    /// The settings that hold the limits, instead of config/holdfast.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The request's method
    #[arg(long, default_value = "GET")]
    pub method: http::Method,
    /// The host asked for, without a port
    #[arg(long, default_value = "")]
    pub host: String,
    /// The path, with a query if there is one
    #[arg(long, default_value = "/")]
    pub path: String,
    /// A header, such as 'Accept: text/html'; may be given again
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// The client's address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub client: IpAddr,
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
