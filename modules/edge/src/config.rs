//! The settings of this module. Their defaults stand in `config/holdfast.toml`.

use edge_certificates::{CertificateFiles, Rfc2136Settings, Settings};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

/// Whose certificates there are, and where they come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// Names of the installation itself that get certificates, besides those of tenants.
    pub names: Vec<String>,
    /// Certificates from files; they go before all others.
    pub certificate_files: Vec<CertificateFiles>,
    /// Automatic certificates.
    pub certificates: Settings,
    /// Who sets the TXT records of DNS-01.
    pub dns: DnsConfig,
    /// Where limits count that processes share.
    pub shared_limits: SharedLimitsConfig,
}

/// Where the budgets of limits lie that processes share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedLimitsConfig {
    pub store: LimitStore,
    /// The store's address, with its credentials. Empty for the database.
    #[serde(deserialize_with = "plain_secret")]
    pub url: SecretString,
    /// Authorities (PEM) that the store's certificate may come from. Empty: those of the system.
    pub ca_file: String,
}

/// A store of budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitStore {
    /// The database that holds all else.
    Database,
    /// Redis or Valkey.
    Redis,
    /// Key-value buckets of NATS `JetStream`.
    Nats,
}

impl LimitStore {
    /// As the settings name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }
}

/// Who sets TXT records.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub enum DnsConfig {
    /// Nobody: no wildcards.
    None,
    /// A DNS server that takes dynamic updates (RFC 2136).
    Rfc2136(Rfc2136Settings),
    /// A service of the operator's.
    Webhook(WebhookSettings),
}

/// A service that sets TXT records.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where changes are posted to.
    #[serde(deserialize_with = "address")]
    pub url: Url,
    /// Sent as a bearer token.
    #[serde(default, deserialize_with = "secret")]
    pub token: Option<SecretString>,
}

fn address<'de, D: Deserializer<'de>>(input: D) -> Result<Url, D::Error> {
    String::deserialize(input)?.parse().map_err(D::Error::custom)
}

fn plain_secret<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    String::deserialize(input).map(SecretString::from)
}

fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(input)?.map(SecretString::from))
}
