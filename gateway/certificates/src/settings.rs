//! The settings of automatic certificates. Their defaults stand in `config/holdfast.toml`; [`Settings::default`] is
//! the same for tests and for whoever embeds the crate.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::units;

/// A kind of challenge by which a CA sees that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChallengeKind {
    /// RFC 8555, section 8.3: a file on port 80.
    #[serde(rename = "http-01")]
    Http01,
    /// RFC 8737: a certificate in a handshake on port 443.
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// RFC 8555, section 8.4: a TXT record. The only kind for wildcards.
    #[serde(rename = "dns-01")]
    Dns01,
}

/// How names get their certificates, and how hard we try.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// CAs in their order; the next one is asked when one fails or is out of budget. Empty: no automatic certificates.
    pub issuers: Vec<IssuerSettings>,
    /// Kinds of challenge in their order; after a failed validation the next one is tried.
    pub challenges: Vec<ChallengeKind>,
    /// Names worked on at once by this process; of one tenant at most three quarters of them.
    pub concurrency: usize,
    /// How long a replica keeps a name that it stopped working on; others take over after that. Longer than
    /// `request_timeout`.
    #[serde(deserialize_with = "units::duration")]
    pub lease: Duration,
    /// How often the store is asked for due names and for certificates of other replicas.
    #[serde(deserialize_with = "units::duration")]
    pub poll: Duration,
    /// One request to a CA, all in all.
    #[serde(deserialize_with = "units::duration")]
    pub request_timeout: Duration,
    /// One question to the store in a handshake.
    #[serde(deserialize_with = "units::duration")]
    pub store_timeout: Duration,
    /// How long an order may stay at one step before it is given up.
    #[serde(deserialize_with = "units::duration")]
    pub step_timeout: Duration,
    /// How long a handshake waits for a certificate that is only now obtained. 0s = it doesn't wait.
    #[serde(deserialize_with = "units::duration")]
    pub on_demand_wait: Duration,
    /// How long to wait between setting a TXT record and telling the CA.
    #[serde(deserialize_with = "units::duration")]
    pub dns_propagation: Duration,
    /// Certificates held in memory, ready for a handshake.
    pub cached: usize,
    /// Names held in memory as having no certificate, and for how long.
    pub cached_unknown: usize,
    #[serde(deserialize_with = "units::duration")]
    pub unknown_for: Duration,
    /// Questions to disk and store at once for names that are not in memory; one more is refused.
    pub lookups: usize,
}

/// One certificate authority.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// A short name that stays: it is kept with orders and accounts.
    pub id: String,
    /// The ACME directory (RFC 8555, section 7.1.1).
    pub directory: String,
    /// Addresses for the CA to write to, such as `mailto:admin@example.com`.
    #[serde(default)]
    pub contact: Vec<String>,
    /// External account binding (RFC 8555, section 7.3.4): the key's id and the key in base64url.
    #[serde(default)]
    pub eab_key_id: Option<String>,
    #[serde(default, deserialize_with = "units::optional_secret")]
    pub eab_key: Option<SecretString>,
    /// The certificate profile to ask for, such as `shortlived`.
    #[serde(default)]
    pub profile: Option<String>,
    /// A PEM file with the root of the CA's own HTTPS; none = the system's roots.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// What the CA allows.
    #[serde(default)]
    pub limits: CaLimits,
}

/// A CA's published limits. A 0 means that there is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaLimits {
    /// New orders by this account in `orders_window`.
    pub orders: u32,
    #[serde(deserialize_with = "units::duration")]
    pub orders_window: Duration,
    /// New certificates for a registered domain and the names below it in `domain_window`.
    pub per_domain: u32,
    #[serde(deserialize_with = "units::duration")]
    pub domain_window: Duration,
    /// New certificates for the very same name in `duplicate_window`.
    pub duplicates: u32,
    #[serde(deserialize_with = "units::duration")]
    pub duplicate_window: Duration,
    /// Failed validations of one host by this account in `failed_window`.
    pub failed_validations: u32,
    #[serde(deserialize_with = "units::duration")]
    pub failed_window: Duration,
    /// Whether renewals that name the certificate they replace (RFC 9773) are exempt from the first three.
    pub renewals_exempt: bool,
}

const HOUR: Duration = Duration::from_hours(1);
const WEEK: Duration = Duration::from_hours(7 * 24);

impl Default for CaLimits {
    /// Let's Encrypt's.
    fn default() -> Self {
        Self {
            orders: 300,
            orders_window: 3 * HOUR,
            per_domain: 50,
            domain_window: WEEK,
            duplicates: 5,
            duplicate_window: WEEK,
            failed_validations: 5,
            failed_window: HOUR,
            renewals_exempt: true,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            challenges: vec![ChallengeKind::TlsAlpn01, ChallengeKind::Http01, ChallengeKind::Dns01],
            concurrency: 16,
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(1),
            request_timeout: Duration::from_secs(20),
            store_timeout: Duration::from_secs(2),
            step_timeout: HOUR,
            on_demand_wait: Duration::from_secs(8),
            dns_propagation: Duration::from_secs(2),
            cached: 10_000,
            cached_unknown: 10_000,
            unknown_for: Duration::from_secs(30),
            lookups: 64,
        }
    }
}

impl IssuerSettings {
    /// A CA with Let's Encrypt's limits and nothing else set.
    pub fn new(id: impl Into<String>, directory: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            directory: directory.into(),
            contact: Vec::new(),
            eab_key_id: None,
            eab_key: None,
            profile: None,
            root: None,
            limits: CaLimits::default(),
        }
    }
}
