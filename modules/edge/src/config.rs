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

fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(input)?.map(SecretString::from))
}
