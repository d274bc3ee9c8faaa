//! Which addresses are public, by the registries of special-purpose addresses (RFC 6890 and its successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::EgressError;

/// What is allowed although it is not public.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    networks: Vec<IpNet>,
    hosts: Vec<String>,
}

impl Allowed {
    pub(super) fn parse(entries: &[String]) -> Result<Self, EgressError> {
        let mut allowed = Self::default();
        for entry in entries {
            let entry = entry.trim();
            let wrong = || EgressError::Setting(entry.to_owned());
            let hostlike = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
            if let Ok(network) = entry.parse::<IpNet>() {
                allowed.networks.push(network);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                allowed.networks.push(address.into());
            } else if !entry.is_empty() && entry.chars().all(hostlike) {
                allowed.hosts.push(entry.trim_end_matches('.').to_ascii_lowercase());
            } else {
                return Err(wrong());
            }
        }
        Ok(allowed)
    }

    /// Whether everything that this name leads to is allowed.
    pub(super) fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    /// Whether this address may be reached.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        is_public(plain) || self.networks.iter().any(|network| network.contains(&plain) || network.contains(&address))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0 // "this network"
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local() // also the metadata service, 169.254.169.254
        || (a == 100 && (64..128).contains(&b)) // carriers' NAT
        || (a == 192 && b == 0 && (c == 0 || c == 2)) // protocols, documentation
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224; // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // Only 2000::/3 is given out; in it some blocks carry an IPv4 address or mean nothing outside.
    let global = parts[0] & 0xe000 == 0x2000;
    let special = match parts[0] {
        0x2001 => parts[1] < 0x0200 || parts[1] == 0x0db8, // protocols, Teredo, ORCHID; documentation
        0x2002 | 0x3fff => true,                           // 6to4; documentation
        _ => false,
    };
    global && !special
}
