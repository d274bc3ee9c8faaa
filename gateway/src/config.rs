//! The settings of the edge. Their defaults stand in `config/holdfast.toml`, nowhere else.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    journal::{AccessLog, RECENT_CEILING},
    limits::{self, NamedLimit, RateLimits},
    routing::{CacheConfig, RoutingConfig},
    threshold::Https,
    tls::ClientCertificates,
    units,
};

/// The most header fields that [`Config::max_headers`] may allow.
pub const HEADERS_CEILING: usize = 256;

/// What the edge allows and how long it waits. A `0` switches off only where it says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Connections open at once over all public listeners; one more is closed at once.
    pub max_connections: usize,
    /// Connections open at once from one address (/64 for IPv6), trusted proxies excepted. 0 = no cap.
    pub max_connections_per_address: usize,
    /// Connections open at once on the operators' listener, a budget of its own.
    pub max_ops_connections: usize,
    /// From accepted to a finished TLS handshake.
    #[serde(deserialize_with = "units::duration")]
    pub handshake_timeout: Duration,
    /// From the first byte of a request head (or the start of a connection) to its last.
    #[serde(deserialize_with = "units::duration")]
    pub header_timeout: Duration,
    /// A kept-alive connection without a request.
    #[serde(deserialize_with = "units::duration")]
    pub idle_timeout: Duration,
    /// The longest silence inside a request body.
    #[serde(deserialize_with = "units::duration")]
    pub body_timeout: Duration,
    /// Bytes a second that a request body must average. 0 = no minimum.
    #[serde(deserialize_with = "units::size")]
    pub min_body_rate: u64,
    /// Waiting that a body may spend before its rate counts.
    #[serde(deserialize_with = "units::duration")]
    pub body_grace: Duration,
    /// The longest time in which a client takes nothing of an answer that waits for it.
    #[serde(deserialize_with = "units::duration")]
    pub write_timeout: Duration,
    /// Request line and header fields together.
    #[serde(deserialize_with = "units::size")]
    pub max_header_bytes: usize,
    /// Header fields in one request, at most [`HEADERS_CEILING`].
    pub max_headers: usize,
    /// The request target.
    #[serde(deserialize_with = "units::size")]
    pub max_target_bytes: usize,
    /// The request body, unless [`crate::App::max_body_bytes`] says otherwise.
    #[serde(deserialize_with = "units::size")]
    pub max_body_bytes: u64,
    /// Networks whose forwarded header is believed: `["10.0.0.0/8", "::1"]`.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which those proxies name the client.
    pub forwarded_header: ForwardedHeader,
    /// Load balancers that begin each connection with a PROXY protocol header (version 1 or 2): from these networks it
    /// must be there, from others it is not read.
    #[serde(deserialize_with = "networks")]
    pub proxy_protocol: Vec<IpNet>,
    /// How long requests in flight may still run at shutdown.
    #[serde(deserialize_with = "units::duration")]
    pub drain_timeout: Duration,
    /// Whether HTTPS listeners speak HTTP/3 as well, through UDP on the same port; see [`crate::Listener::with_http3`].
    pub http3: bool,
    pub https: Https,
    pub client_certificates: ClientCertificates,
    pub http2: Http2,
    pub rate_limits: RateLimits,
    /// Limits that routes name.
    pub limits: Vec<NamedLimit>,
    /// Requests that are remembered for operators to look at, at most 100000. 0 = none.
    pub recent_requests: usize,
    pub access_log: AccessLog,
    pub routing: RoutingConfig,
    pub cache: CacheConfig,
}

/// Which header names the client behind a trusted proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, and `X-Forwarded-Proto` for the scheme.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Limits of HTTP/2 connections (RFC 9113); those of streams and PINGs count for HTTP/3 too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http2 {
    /// Requests open at once on one connection.
    pub max_concurrent_streams: u32,
    /// Streams that a client may reset before they were accepted ("rapid reset").
    pub max_pending_resets: usize,
    /// Streams that the edge may have to reset for a client's errors.
    pub max_error_resets: usize,
    /// A PING after this much silence.
    #[serde(deserialize_with = "units::duration")]
    pub ping_interval: Duration,
    /// Its answer is due within.
    #[serde(deserialize_with = "units::duration")]
    pub ping_timeout: Duration,
}

/// A setting that cannot work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("gateway.{0} must not be 0.")]
    Zero(&'static str),
    #[error("gateway.max_headers is {0}; at most {HEADERS_CEILING} are possible.")]
    TooManyHeaders(usize),
    #[error("gateway.max_target_bytes must be below gateway.max_header_bytes.")]
    TargetAboveHead,
    #[error(
        "gateway.cache.disk is too small: 0 keeps nothing on the disk, else it is at least twice gateway.cache.max_object."
    )]
    DiskTooSmall,
    #[error("gateway.recent_requests is {0}; at most {RECENT_CEILING} are remembered.")]
    TooManyRecent(usize),
    #[error("gateway.access_log can't be used: {0}.")]
    AccessLog(&'static str),
    #[error("gateway.limits[{0}] can't be used: {1}.")]
    Limit(usize, &'static str),
}

impl Config {
    /// Whether connections from there begin with a PROXY protocol header.
    pub(crate) fn is_load_balancer(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxy_protocol.iter().any(|network| network.contains(&address))
    }

    /// Refuses what cannot work, by the name of the setting.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let never_zero = [
            ("max_connections", self.max_connections == 0),
            ("max_ops_connections", self.max_ops_connections == 0),
            ("handshake_timeout", self.handshake_timeout.is_zero()),
            ("header_timeout", self.header_timeout.is_zero()),
            ("idle_timeout", self.idle_timeout.is_zero()),
            ("body_timeout", self.body_timeout.is_zero()),
            ("write_timeout", self.write_timeout.is_zero()),
            ("max_header_bytes", self.max_header_bytes == 0),
            ("max_headers", self.max_headers == 0),
            ("http2.max_concurrent_streams", self.http2.max_concurrent_streams == 0),
            ("rate_limits.max_entries", self.rate_limits.max_entries == 0),
        ];
        if let Some((name, _)) = never_zero.iter().find(|(_, zero)| *zero) {
            return Err(ConfigError::Zero(name));
        }
        if self.max_headers > HEADERS_CEILING {
            return Err(ConfigError::TooManyHeaders(self.max_headers));
        }
        if self.max_target_bytes >= self.max_header_bytes {
            return Err(ConfigError::TargetAboveHead);
        }
        if self.cache.disk > 0 && self.cache.disk < self.cache.max_object.saturating_mul(2) {
            return Err(ConfigError::DiskTooSmall);
        }
        if self.recent_requests > RECENT_CEILING {
            return Err(ConfigError::TooManyRecent(self.recent_requests));
        }
        self.access_log.check().map_err(ConfigError::AccessLog)?;
        limits::check(&self.limits)
    }
}

fn networks<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(input)?
        .iter()
        .map(|text| {
            let bare = text.parse::<IpAddr>().map(IpNet::from);
            bare.or_else(|_| text.parse::<IpNet>())
                .map_err(|_| D::Error::custom(format_args!("{text:?} is not a network such as \"10.0.0.0/8\"")))
        })
        .collect()
}
