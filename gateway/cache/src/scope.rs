//! Whose an answer is: the part of the key that nobody can leave out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The scheme by which the client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// The room of a request in the cache: answers never cross from one scope to another.
///
/// `tenant` is whose host it is (the nil UUID for the shared host), `host` the authority asked for. There is no key
/// without a scope, so that a lookup can't forget the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    tenant: Uuid,
    scheme: Scheme,
    host: Arc<str>,
    /// Empty: whichever route takes the host's paths.
    #[serde(default)]
    route: Arc<str>,
}

impl Scope {
    /// A scope; the host is taken in lower case and without the scheme's own port.
    pub fn new(tenant: Uuid, scheme: Scheme, host: &str) -> Self {
        let host = host.strip_suffix(scheme.default_port()).unwrap_or(host);
        Self { tenant, scheme, host: host.to_ascii_lowercase().into(), route: Arc::default() }
    }

    /// The same for one route alone, where several routes take the same paths by headers or addresses: what one of
    /// them answers is never the other's. Purges of a host cover all its routes.
    #[must_use]
    pub fn of_route(self, route: &str) -> Self {
        Self { route: route.into(), ..self }
    }

    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn host(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_scope_however_it_is_written() {
        let plain = Scope::new(Uuid::nil(), Scheme::Https, "acme.localhost");

        assert_eq!(plain, Scope::new(Uuid::nil(), Scheme::Https, "ACME.localhost:443"));
        assert_ne!(plain, Scope::new(Uuid::nil(), Scheme::Http, "acme.localhost"));
        assert_ne!(plain, Scope::new(Uuid::nil(), Scheme::Https, "acme.localhost:8443"));
        assert_ne!(plain, Scope::new(Uuid::from_u128(1), Scheme::Https, "acme.localhost"));
    }
}
