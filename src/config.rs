//! Settings: the defaults of `config/holdfast.toml`, a file, the environment and flags, in rising order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Deserialize;

use crate::cli::SettingsArgs;
use crate::nearest::nearest;

/// Every setting with its default, as it stands in the repository.
const DEFAULTS: &str = include_str!("../config/holdfast.toml");
/// Read when it is there and no `--config` names another.
const USUAL_FILE: &str = "config/holdfast.toml";

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Listeners, data folder, deadlines.
    pub server: ServerConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Traces to a collector.
    pub telemetry: TelemetryConfig,
    /// The database.
    pub database: kernel::DbConfig,
    /// The edge.
    pub gateway: gateway::Config,
    /// Certificates.
    pub edge: edge::EdgeConfig,
    /// Tenants.
    pub tenancy: tenancy::TenancyConfig,
    /// Accounts.
    pub identity: identity::IdentityConfig,
    /// Documents and records.
    pub vault: vault::VaultConfig,
    /// Search over documents.
    pub knowledge: knowledge::KnowledgeConfig,
    /// Background work.
    pub jobs: jobs::JobsConfig,
    /// Conversations and the OpenAI wire.
    pub chat: chat::ChatConfig,
    /// Calls to the outside.
    pub egress: kernel::EgressConfig,
    /// GraphQL.
    pub graphql: GraphqlConfig,
}

/// Listeners, data folder, deadlines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The folder that holds all state.
    pub data: PathBuf,
    /// The HTTP listener.
    pub http: SocketAddr,
    /// The HTTPS listener.
    pub https: SocketAddr,
    /// The operators' listener.
    pub ops: SocketAddr,
    /// Seconds that a request may take when the client names no time.
    pub request_timeout: u64,
    /// The most seconds that a client may ask for with `Request-Timeout`.
    pub max_request_timeout: u64,
    /// Seconds between "not ready" and closing the listeners at shutdown.
    pub drain_notice: u64,
    /// Seconds that background work may take to stop.
    pub stop_timeout: u64,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// `human`, `json`, or `auto`: human on a terminal.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,holdfast=debug`.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Traces to a collector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The collector's OTLP/HTTP address; empty: no export.
    pub otlp_endpoint: String,
    /// The share of requests without a sampled parent that are traced, 0 to 1.
    pub sample_ratio: f64,
}

/// Limits of GraphQL documents.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphqlConfig {
    /// The deepest nesting of fields.
    pub max_depth: usize,
    /// The highest cost; a field costs one, a list its length.
    pub max_cost: usize,
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that does not exist.
    #[error("There is no setting {key:?}{source_name}.{hint}")]
    Unknown { key: String, source_name: String, hint: String },
    /// A value that does not fit.
    #[error("A setting does not fit: {0}")]
    Value(String),
    /// The named file is not there.
    #[error("The settings file {0} can't be read; check --config.")]
    Missing(PathBuf),
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// A missing file, an unknown key, a value that does not fit.
    pub fn load(args: &SettingsArgs) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        let file = args.config.clone().unwrap_or_else(|| PathBuf::from(USUAL_FILE));
        if args.config.is_some() && !file.is_file() {
            return Err(ConfigError::Missing(file));
        }
        if file.is_file() {
            figment = figment.merge(Toml::file_exact(&file));
        }
        figment = figment.merge(Env::prefixed("HOLDFAST__").split("__"));
        figment = with_flags(figment, args);
        figment.extract().map_err(|error| explain(&error))
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.server.data
    }
}

fn with_flags(mut figment: Figment, args: &SettingsArgs) -> Figment {
    let addresses = [("server.http", args.http), ("server.https", args.https), ("server.ops", args.ops)];
    for (key, address) in addresses {
        if let Some(address) = address {
            figment = figment.merge(Serialized::default(key, address));
        }
    }
    match &args.data {
        Some(data) => figment.merge(Serialized::default("server.data", data)),
        None => figment,
    }
}

fn explain(error: &figment::Error) -> ConfigError {
    let source_name = error.metadata.as_ref().map(|found| format!(" (from {})", found.name)).unwrap_or_default();
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(field, known) => {
            let key = if path.is_empty() || path.ends_with(field.as_str()) {
                if path.is_empty() { field.clone() } else { path }
            } else {
                format!("{path}.{field}")
            };
            let hint = nearest(field, known)
                .map_or_else(|| format!(" There are {}.", known.join(", ")), |word| format!(" Did you mean {word:?}?"));
            ConfigError::Unknown { key, source_name, hint }
        }
        kind => ConfigError::Value(format!("{path}: {kind}{source_name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_whole() {
        let config: Config = Figment::from(Toml::string(DEFAULTS)).extract().unwrap();

        assert_eq!(config.server.http.port(), 8080);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let figment = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string("[server]\nhtpp = \"127.0.0.1:1\""));

        let error = explain(&figment.extract::<Config>().unwrap_err()).to_string();

        assert!(error.contains("htpp") && error.contains("Did you mean \"http\"?"), "{error}");
    }
}
