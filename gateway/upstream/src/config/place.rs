//! Where a target is, read from its URL.

use std::net::IpAddr;

use url::{Host, Url};

/// What is spoken first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Speech {
    /// HTTP/1.1 in the clear.
    Http1,
    /// HTTP/2 in the clear, known in advance (RFC 9113, section 3.3).
    H2c,
    /// TLS; the protocol is agreed on in the handshake.
    Tls,
}

/// A target's address, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) speech: Speech,
    /// Lower case, IPv6 without brackets.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    /// Set if the host is an address already.
    pub(crate) address: Option<IpAddr>,
    /// As a `Host` field wants it; the port only where it isn't the scheme's own.
    pub(crate) authority: Box<str>,
}

/// A target's URL that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("must be http://host:port, https://host:port or h2c://host:port")]
    Scheme,
    #[error("must name a host")]
    Host,
    #[error("must hold no user, path, query or fragment; paths are rewritten by the route")]
    More,
    #[error("must not have port 0")]
    Port,
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self, PlaceError> {
        // The `url` crate knows the hosts of `http` only.
        let (speech, plain) = match url.split_once("://") {
            Some(("h2c", rest)) => (Speech::H2c, format!("http://{rest}")),
            Some(("http", _)) => (Speech::Http1, url.to_owned()),
            Some(("https", _)) => (Speech::Tls, url.to_owned()),
            _ => return Err(PlaceError::Scheme),
        };
        let parsed = Url::parse(&plain).map_err(|_| PlaceError::Host)?;
        let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        if !bare || !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(PlaceError::More);
        }
        let (host, address) = match parsed.host().ok_or(PlaceError::Host)? {
            Host::Domain(name) => (name.trim_end_matches('.').to_ascii_lowercase(), None),
            Host::Ipv4(address) => (address.to_string(), Some(IpAddr::V4(address))),
            Host::Ipv6(address) => (address.to_string(), Some(IpAddr::V6(address))),
        };
        if host.is_empty() {
            return Err(PlaceError::Host);
        }
        let port = parsed.port_or_known_default().filter(|port| *port != 0).ok_or(PlaceError::Port)?;
        let named = if matches!(address, Some(IpAddr::V6(_))) { format!("[{host}]") } else { host.clone() };
        let authority = parsed.port().map_or_else(|| named.clone(), |port| format!("{named}:{port}"));
        Ok(Self { speech, host: host.into(), port, address, authority: authority.into() })
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        match self.speech {
            Speech::Http1 | Speech::H2c => "http",
            Speech::Tls => "https",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_each_scheme() {
        let place = Place::parse("h2c://Grpc.Internal:50051").unwrap();
        assert_eq!((place.speech, &*place.host, place.port), (Speech::H2c, "grpc.internal", 50051));

        let place = Place::parse("https://[2001:db8::1]").unwrap();
        assert_eq!((place.port, &*place.authority), (443, "[2001:db8::1]"));
        assert_eq!(place.address, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(&*Place::parse("http://a:8080/").unwrap().authority, "a:8080");
    }

    #[test]
    fn a_url_with_more_than_a_place_is_refused() {
        for (url, error) in [
            ("ftp://a", PlaceError::Scheme),
            ("a:80", PlaceError::Scheme),
            ("http://", PlaceError::Host),
            ("http://a/path", PlaceError::More),
            ("http://u:p@a", PlaceError::More),
            ("http://a/?q", PlaceError::More),
            ("http://a:0", PlaceError::Port),
        ] {
            assert_eq!(Place::parse(url), Err(error), "{url}");
        }
    }
}
