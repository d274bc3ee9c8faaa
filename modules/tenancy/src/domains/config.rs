//! The settings of domains.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;

/// Where domains are to lead, and how they are checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainsConfig {
    /// Addresses, and at most one host name, that customers let their names point at. None: only the proof counts.
    pub targets: Targets,
    /// Name servers that are asked, such as `9.9.9.9` or `127.0.0.1:5353`. None: the system's.
    pub resolvers: Vec<NameServer>,
    /// Milliseconds that one question to one of them may take.
    pub check_timeout_ms: u64,
    /// Domains that one process checks at once; 0 leaves checks to other processes.
    pub checks_at_once: usize,
    /// Domains that a tenant may claim.
    pub per_tenant: usize,
    /// Days for which a proof may be missing before its holder loses the domain.
    pub grace_days: u32,
    /// The names by which CAA records allow the certificate authorities in use. None: CAA is not looked at.
    pub caa_issuers: Vec<String>,
}

/// The shortest time for one question.
const SHORTEST: u64 = 100;

impl DomainsConfig {
    /// What one question may take.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_millis(self.check_timeout_ms.max(SHORTEST))
    }
}

/// Where names are to lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Targets {
    /// For A and AAAA records.
    pub addresses: Vec<IpAddr>,
    /// For CNAME records.
    pub host: Option<String>,
}

/// The texts are no targets.
#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    /// Neither an address nor a host name.
    #[error("{0:?} is neither an IP address nor a host name such as edge.example.com")]
    Unreadable(String),
    /// Two host names.
    #[error("at most one host name can be a target: a name has one CNAME record")]
    TwoHosts,
}

impl TryFrom<Vec<String>> for Targets {
    type Error = TargetsError;

    fn try_from(texts: Vec<String>) -> Result<Self, TargetsError> {
        let mut targets = Self::default();
        for text in texts {
            if let Ok(address) = text.trim().parse() {
                targets.addresses.push(address);
                continue;
            }
            let host = idna::domain_to_ascii_strict(text.trim().trim_end_matches('.')).unwrap_or_default();
            if !host.contains('.') {
                return Err(TargetsError::Unreadable(text));
            }
            if targets.host.replace(host).is_some() {
                return Err(TargetsError::TwoHosts);
            }
        }
        Ok(targets)
    }
}

/// The address of a name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NameServer(pub SocketAddr);

/// The port of DNS.
const PORT: u16 = 53;

impl TryFrom<String> for NameServer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let alone = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
        let read = text.parse::<SocketAddr>().or_else(|_| alone());
        read.map(Self).map_err(|_| format!("{text:?} is no address of a name server such as 9.9.9.9 or 127.0.0.1:5353"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_addresses_and_at_most_one_host() {
        let read = |texts: &[&str]| Targets::try_from(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());

        let targets = read(&["192.0.2.1", "2001:db8::1", "Edge.Example.com."]).unwrap();
        assert_eq!((targets.addresses.len(), targets.host.as_deref()), (2, Some("edge.example.com")));
        assert!(matches!(read(&["a.example.com", "b.example.com"]), Err(TargetsError::TwoHosts)));
        for wrong in ["", "edge", "https://edge.example.com", "192.0.2.1:443", "a b.com"] {
            assert!(matches!(read(&[wrong]), Err(TargetsError::Unreadable(_))), "{wrong}");
        }
    }

    #[test]
    fn a_name_server_has_a_port() {
        let read = |text: &str| NameServer::try_from(text.to_owned()).map(|it| it.0.to_string());

        assert_eq!(read("9.9.9.9").unwrap(), "9.9.9.9:53");
        assert_eq!(read("[::1]:5353").unwrap(), "[::1]:5353");
        assert_eq!(read("::1").unwrap(), "[::1]:53");
        assert!(read("dns.example.com").is_err());
    }
}
