//! The settings of a pool. What is left out has the default that [`PoolConfig`]'s parts name.
//!
//! A pool is a row that operators and tenants change at run time, so its defaults stand in the code; the annotated
//! list is in `config/holdfast.toml`.

mod check;
mod place;
mod policy;
mod tls;
mod units;

use std::time::Duration;

use serde::Deserialize;

pub use check::{ConfigError, Invalid};
pub use place::PlaceError;
pub(crate) use place::{Place, Speech};
pub use policy::{Breaker, Ejection, HealthCheck, Retry, Shedding, StatusRange};
pub use tls::{ClientCertificate, PrivateKeyPem, TlsConfig};

/// The most targets of one pool: picking one may look at each.
pub const MAX_TARGETS: usize = 256;

/// One pool of upstream servers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// The servers, at least one and at most [`MAX_TARGETS`].
    pub targets: Vec<TargetConfig>,
    /// How one of them is chosen.
    #[serde(default)]
    pub balance: Balance,
    /// Whether the addresses must pass the [`crate::AddressPolicy`]. Only an operator may set `anywhere`.
    #[serde(default)]
    pub reach: Reach,
    /// The `Host` that the upstream sees.
    #[serde(default)]
    pub host: HostHeader,
    /// What the upstream is told about the client.
    #[serde(default)]
    pub forwarded: Forwarded,
    #[serde(default)]
    pub tls: TlsConfig,
    #[serde(default)]
    pub timeouts: Timeouts,
    #[serde(default)]
    pub connections: Connections,
    /// Active health checks; none if left out.
    #[serde(default)]
    pub health: Option<HealthCheck>,
    #[serde(default)]
    pub ejection: Ejection,
    /// How long a target that came back, or was added, takes to get its full share. 0 = at once. Default 10 s.
    #[serde(default = "slow_start", deserialize_with = "units::duration")]
    pub slow_start: Duration,
    #[serde(default)]
    pub breaker: Breaker,
    #[serde(default)]
    pub retry: Retry,
    #[serde(default)]
    pub shedding: Shedding,
}

const fn slow_start() -> Duration {
    Duration::from_secs(10)
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// `http://host:port`, `https://host:port`, or `h2c://host:port` for HTTP/2 without TLS.
    pub url: String,
    /// Its share, 1 to 100.
    #[serde(default = "weight")]
    pub weight: u32,
}

const fn weight() -> u32 {
    1
}

/// How a target is chosen.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// The better of two random ones, by peak EWMA of the time to the answer's head.
    #[default]
    P2cEwma,
    /// The one with the fewest requests in flight.
    LeastRequests,
    /// Each in turn, smoothly weighted.
    RoundRobin,
    /// The same key goes to the same target, unless it has too much more than its share (bounded load).
    ConsistentHash(ConsistentHash),
}

/// Settings of [`Balance::ConsistentHash`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistentHash {
    /// What is hashed. A request without it goes anywhere.
    pub by: HashBy,
    /// How far above its share a target may be loaded, 1.0 to 10.0.
    #[serde(default = "load_factor")]
    pub load_factor: f64,
}

const fn load_factor() -> f64 {
    1.25
}

/// The key of [`Balance::ConsistentHash`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashBy {
    Header(String),
    Cookie(String),
    ClientAddress,
}

/// Where a pool may connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Where the [`crate::AddressPolicy`] lets it.
    #[default]
    Guarded,
    /// Anywhere. For pools that the operator wrote.
    Anywhere,
}

/// The `Host` (or `:authority`) of a forwarded request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostHeader {
    /// What the client asked for.
    #[default]
    Keep,
    /// The target's own name and port.
    Target,
    /// Always this.
    Fixed(String),
}

/// Which fields name the client, and what becomes of those that the request came with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarded {
    /// `X-Forwarded-For`, `-Proto` and `-Host`. Default true.
    #[serde(default = "yes")]
    pub x_forwarded: bool,
    /// `Forwarded` (RFC 7239). Default false.
    #[serde(default)]
    pub forwarded: bool,
    /// Keeps what the request came with, and appends. For chains of proxies that trust each other. Default false.
    #[serde(default)]
    pub append: bool,
    /// Our name in `Via` (RFC 9110, section 7.6.3). Default `holdfast`.
    #[serde(default = "pseudonym")]
    pub via: String,
}

const fn yes() -> bool {
    true
}

fn pseudonym() -> String {
    "holdfast".to_owned()
}

impl Default for Forwarded {
    fn default() -> Self {
        Self { x_forwarded: true, forwarded: false, append: false, via: pseudonym() }
    }
}

/// How long each phase of a forwarded request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// Until a connection stands: a free place, the name resolved, TCP, TLS. Default 3 s.
    #[serde(deserialize_with = "units::duration")]
    pub connect: Duration,
    /// From the last byte of the request to the head of the answer. Default 60 s.
    #[serde(deserialize_with = "units::duration")]
    pub response_head: Duration,
    /// The longest silence inside an answer's body, or inside the taking of a request's body. Default 60 s.
    #[serde(deserialize_with = "units::duration")]
    pub between_frames: Duration,
    /// Everything together, retries included. 0 = no limit, which streams need. Default 0.
    #[serde(deserialize_with = "units::duration")]
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            response_head: Duration::from_mins(1),
            between_frames: Duration::from_mins(1),
            whole: Duration::ZERO,
        }
    }
}

/// How connections are kept and used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// HTTP/1.1 connections to one target that are kept for the next request. Default 128.
    pub max_idle: usize,
    /// How long a connection without a request is kept. Default 30 s.
    #[serde(deserialize_with = "units::duration")]
    pub idle_timeout: Duration,
    /// Requests at once on one HTTP/2 connection; for one more another is opened. Default 100.
    pub max_streams: u32,
    /// How long the addresses of a name are used without asking again. Default 10 s.
    #[serde(deserialize_with = "units::duration")]
    pub resolve_again: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max_idle: 128,
            idle_timeout: Duration::from_secs(30),
            max_streams: 100,
            resolve_again: Duration::from_secs(10),
        }
    }
}
