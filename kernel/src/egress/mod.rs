//! Calls to the outside: one guarded HTTP client for everything that a tenant can aim at an address.
//!
//! An address that somebody typed into a form must not reach this machine, its network or its cloud's metadata
//! service. So the name is resolved here, every address that is not public is thrown away before the connection is
//! made (at that moment, so that a name which changes its mind gains nothing), redirects are not followed, and the
//! proxies that the environment names are ignored. What an operator lists in `egress.allow` may be reached all the same.

mod addresses;
mod answer;
mod resolver;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Url};
use serde::Deserialize;

use crate::secret::Secret;

pub use answer::{EgressAnswer, Pace};

use addresses::Allowed;
use resolver::Guarded;

/// Where calls to the outside may go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressConfig {
    /// Networks (`10.0.0.0/8`), addresses (`127.0.0.1`) and host names that may be reached although they are not
    /// public.
    pub allow: Vec<String>,
    /// Milliseconds until a connection must stand, name and TLS included.
    pub connect_timeout_ms: u64,
}

/// Why a call to the outside did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// A setting that is neither a network, an address nor a host name.
    #[error("egress.allow holds {0:?}, which is no network, address or host name.")]
    Setting(String),
    /// No address of the web.
    #[error("{0:?} is no http or https address without a user name.")]
    Address(String),
    /// The address is not public and nobody allowed it.
    #[error("The address leads to a place that is not public; an operator can allow it with egress.allow.")]
    Refused,
    /// No connection, or it broke.
    #[error("No connection, or it broke off.")]
    Connection,
    /// It took too long.
    #[error("No answer in time.")]
    Timeout,
    /// More than the caller wanted to take.
    #[error("The answer is larger than is taken.")]
    TooLarge,
}

/// A request to the outside.
#[derive(Clone, Debug)]
pub struct EgressRequest {
    /// The whole address, `http` or `https`.
    pub url: String,
    /// A credential for `Authorization: Bearer`.
    pub bearer: Option<Secret>,
    /// A JSON body, which makes it a POST; without one it is a GET.
    pub body: Option<Vec<u8>>,
    /// How long the head of the answer may take, the connection included.
    pub head_timeout: Duration,
    /// The most bytes of the answer's body.
    pub max_body: u64,
}

/// The guarded client. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct Egress {
    http: reqwest::Client,
    allowed: Arc<Allowed>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Egress {
    /// A client under these rules.
    ///
    /// # Errors
    /// [`EgressError::Setting`] for an entry that is none; [`EgressError::Connection`] when TLS can't be set up.
    pub fn new(config: &EgressConfig) -> Result<Self, EgressError> {
        let allowed = Arc::new(Allowed::parse(&config.allow)?);
        let http = reqwest::Client::builder()
            .dns_resolver(Guarded::new(Arc::clone(&allowed)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms.max(1)))
            .pool_max_idle_per_host(256)
            .tcp_nodelay(true)
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                tracing::error!(%error, "the client for calls to the outside can't be made");
                EgressError::Connection
            })?;
        Ok(Self { http, allowed })
    }

    /// Whether this address may be called, as far as can be told without resolving its name.
    ///
    /// # Errors
    /// [`EgressError::Address`] or [`EgressError::Refused`].
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        self.parse(url).map(drop)
    }

    /// Sends a request and returns once the head of the answer is there, whatever its status.
    ///
    /// # Errors
    /// Any but [`EgressError::Setting`] and [`EgressError::TooLarge`].
    pub async fn send(&self, request: EgressRequest) -> Result<EgressAnswer, EgressError> {
        let url = self.parse(&request.url)?;
        let method = if request.body.is_some() { Method::POST } else { Method::GET };
        let mut built = self.http.request(method, url).header("accept", "text/event-stream, application/json");
        if let Some(bearer) = &request.bearer {
            built = built.bearer_auth(bearer.expose());
        }
        if let Some(body) = request.body {
            built = built.header("content-type", "application/json").body(body);
        }
        let sent = tokio::time::timeout(request.head_timeout, built.send());
        let response = sent.await.map_err(|_| EgressError::Timeout)?.map_err(|error| answer::told(&error))?;
        Ok(EgressAnswer::new(response, request.max_body))
    }

    fn parse(&self, text: &str) -> Result<Url, EgressError> {
        let wrong = || EgressError::Address(text.chars().take(200).collect());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        if !plain {
            return Err(wrong());
        }
        // A host that is an address never comes to the resolver.
        let literal = match url.host().ok_or_else(wrong)? {
            url::Host::Domain(_) => None,
            url::Host::Ipv4(address) => Some(IpAddr::V4(address)),
            url::Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match literal {
            Some(address) if !self.allowed.permits(address) => Err(EgressError::Refused),
            _ => Ok(url),
        }
    }
}

#[cfg(test)]
mod tests;
