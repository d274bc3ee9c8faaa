//! How a route changes what passes, and whom it lets through.

use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Everything but the condition and the action. What is left out is not done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Modifiers {
    pub rewrite: Option<Rewrite>,
    pub request_headers: Vec<HeaderRule>,
    pub response_headers: Vec<HeaderRule>,
    pub cors: Option<Cors>,
    pub compression: Option<Compression>,
    pub security_headers: Option<SecurityHeaders>,
    pub basic_auth: Option<BasicAuth>,
    pub forward_auth: Option<ForwardAuth>,
    pub require: Option<Require>,
    pub addresses: Addresses,
    pub limits: RouteLimits,
    /// Limits, all of which count.
    pub rate_limits: Vec<RateLimitUse>,
    pub cache: Option<CachePolicy>,
    pub shedding: Shedding,
    pub maintenance: Option<Maintenance>,
    /// Only with a client certificate that the listener has verified.
    pub client_certificate: bool,
}

/// A change of the path before it goes on. The query stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rewrite {
    /// Takes off a beginning, by whole segments.
    StripPrefix(String),
    /// Puts another in its place; the pattern's names are filled in.
    Replace(String),
    /// Replaces what the expression finds, `$1` being its first group.
    Regex { find: String, replace: String },
}

/// A change of one header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum HeaderRule {
    Set { name: String, value: String },
    Add { name: String, value: String },
    Remove { name: String },
}

/// Who may read answers from scripts of other origins (the Fetch standard's CORS protocol).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cors {
    /// `https://app.example`, `https://*.example`, or `*` alone.
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    pub exposed: Vec<String>,
    pub credentials: bool,
    /// Seconds for which a browser keeps the answer to a preflight.
    pub max_age: u64,
}

/// Compression of answers on their way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compression {
    /// In the order of our preference among what the client takes equally.
    pub encodings: Vec<Encoding>,
    /// Smaller bodies stay as they are.
    pub min_bytes: u64,
}

impl Default for Compression {
    fn default() -> Self {
        Self { encodings: vec![Encoding::Br, Encoding::Zstd, Encoding::Gzip], min_bytes: 1024 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Br,
    Zstd,
    Gzip,
}

/// Headers that make browsers careful. Only those that the answer lacks are added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecurityHeaders {
    /// Seconds for `Strict-Transport-Security` on HTTPS; 0 leaves it out.
    pub hsts_seconds: u64,
    pub hsts_subdomains: bool,
    /// `X-Frame-Options`; empty leaves it out.
    pub frame_options: String,
    pub referrer_policy: String,
    pub content_security_policy: String,
    pub permissions_policy: String,
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self {
            hsts_seconds: 0,
            hsts_subdomains: false,
            frame_options: "DENY".to_owned(),
            referrer_policy: "strict-origin-when-cross-origin".to_owned(),
            content_security_policy: String::new(),
            permissions_policy: String::new(),
        }
    }
}

/// RFC 7617.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    pub realm: String,
    pub users: Vec<BasicUser>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicUser {
    pub name: String,
    /// An Argon2 hash in PHC form, `$argon2id$…`; never a password.
    pub hash: String,
}

/// Another service decides: 2xx lets the request through, anything else is the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardAuth {
    pub url: String,
    /// Headers of its answer that go on with the request; the client's own of these names never do.
    #[serde(default)]
    pub copy_headers: Vec<String>,
    #[serde(default = "five")]
    pub timeout_seconds: u64,
    /// Where it may be. What the file leaves out is anywhere, for it is the operator's; elsewhere it is public addresses.
    #[serde(default)]
    pub reach: ServiceReach,
}

/// Which addresses a service that decides may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceReach {
    /// Public ones.
    #[default]
    Guarded,
    Anywhere,
}

fn five() -> u64 {
    5
}

/// What Holdfast itself must know of the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Require {
    pub login: bool,
    /// All of them.
    pub scopes: Vec<String>,
    /// One of them.
    pub roles: Vec<String>,
    /// Whether a browser that comes without a login is sent to the console's sign-in, and back afterwards.
    pub sign_in: bool,
}

/// A limit by its name, and what a request to this route takes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a limit, or { name, cost }")]
pub enum RateLimitUse {
    /// As much as the limit says.
    Plain(String),
    Costly(CostlyUse),
}

/// A limit of which a request takes this much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostlyUse {
    pub name: String,
    pub cost: NonZeroU32,
}

impl RateLimitUse {
    pub fn name(&self) -> &str {
        match self {
            Self::Plain(name) | Self::Costly(CostlyUse { name, .. }) => name,
        }
    }

    /// What a request takes, if that is not what the limit says.
    pub const fn cost(&self) -> Option<NonZeroU32> {
        match self {
            Self::Plain(_) => None,
            Self::Costly(costly) => Some(costly.cost),
        }
    }
}

/// Who may ask by address. `deny` goes first; with `allow`, nobody else may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    pub allow: Vec<IpNet>,
    pub deny: Vec<IpNet>,
}

/// Bounds of one request; what is left out is the edge's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteLimits {
    pub max_body_bytes: Option<u64>,
    pub timeout_seconds: Option<u64>,
}

/// The cache's part of a route; the gateway hands it to its cache. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "they are settings, each with a name of its own")]
pub struct CachePolicy {
    pub default_ttl: u64,
    pub heuristic_percent: u32,
    pub status_ttl: std::collections::BTreeMap<u16, u64>,
    pub max_object_bytes: u64,
    pub ignored_query: Vec<String>,
    pub vary_allowed: Option<Vec<String>>,
    pub bypass_cookies: Vec<String>,
    pub bypass_authorization: bool,
    pub honour_client: bool,
    pub store_cookies: bool,
    /// Whether clients see `Surrogate-Key` and `Cache-Tag`.
    pub shows_keys: bool,
    pub stale_while_revalidate: u64,
    pub stale_if_error: u64,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            default_ttl: 0,
            heuristic_percent: 10,
            status_ttl: std::collections::BTreeMap::new(),
            max_object_bytes: 8 << 20,
            ignored_query: Vec::new(),
            vary_allowed: None,
            bypass_cookies: Vec::new(),
            bypass_authorization: false,
            honour_client: true,
            store_cookies: false,
            shows_keys: false,
            stale_while_revalidate: 0,
            stale_if_error: 0,
        }
    }
}

/// Who waits when the process is full: `low` is refused first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shedding {
    Low,
    #[default]
    Normal,
    High,
}

/// 503 with `Retry-After` for all but these addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    pub retry_after_seconds: u64,
    #[serde(default)]
    pub allowed: Vec<IpNet>,
    #[serde(default)]
    pub message: String,
}
