//! TXT records for DNS-01: by dynamic update (RFC 2136) or by a webhook.

mod rfc2136;
mod webhook;

use async_trait::async_trait;

pub use rfc2136::{Rfc2136, Rfc2136Settings, TsigAlgorithm};
pub use webhook::WebhookDns;

/// Sets and removes TXT records.
#[async_trait]
pub trait DnsProvider: Send + Sync + 'static {
    /// Adds `value` to the TXT records at `record` (`_acme-challenge.example.com`); others there stay. Adding it twice
    /// is the same as once.
    async fn set_txt(&self, record: &str, value: &str) -> Result<(), DnsError>;

    /// Removes `value` from the TXT records at `record`; nothing happens if it isn't there.
    async fn remove_txt(&self, record: &str, value: &str) -> Result<(), DnsError>;
}

/// A TXT record could not be set or removed.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    #[error("The DNS settings are wrong: {0}")]
    Settings(String),
    #[error("No zone in the settings holds {0}.")]
    NoZone(String),
    #[error("The DNS server does not answer: {0}")]
    Unreachable(String),
    #[error("The DNS server refuses: {0}. Check the zone, the key's name and secret, and what the key may update.")]
    Refused(String),
    #[error("The DNS server's answer can't be trusted: {0}")]
    Unsigned(String),
}
