//! The settings of this module.

use serde::Deserialize;

use crate::domains::config::DomainsConfig;
use crate::words::SYSTEM_SLUG;

/// Where tenants are reached and how long things last.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenancyConfig {
    /// The domain under which each tenant has its own name: `acme.localhost` for `localhost`.
    pub base_domain: String,
    /// The HTTPS port in the addresses that clients are told; without one, 443, which is left out.
    #[serde(default)]
    pub public_port: Option<u16>,
    /// Days from a tenant's deletion until its data goes; until then it can be restored.
    pub deletion_grace_days: u32,
    /// Hours for which an invitation holds.
    pub invitation_lifetime_hours: u32,
    /// Milliseconds for which a host's tenant is remembered. Changes in this process show at once, those of other
    /// processes after this time.
    pub directory_ttl_ms: u64,
    /// How many names the directory remembers.
    pub directory_capacity: usize,
    /// Domains of the tenants' own.
    pub domains: DomainsConfig,
}

impl TenancyConfig {
    pub(crate) fn normalised(mut self) -> Self {
        self.base_domain = self.base_domain.trim().trim_end_matches('.').to_ascii_lowercase();
        self
    }

    /// A tenant's address and issuer.
    pub(crate) fn origin(&self, slug: &str) -> String {
        let base = &self.base_domain;
        let host = if slug == SYSTEM_SLUG { base.clone() } else { format!("{slug}.{base}") };
        match self.public_port {
            None | Some(443) => format!("https://{host}"),
            Some(port) => format!("https://{host}:{port}"),
        }
    }
}
