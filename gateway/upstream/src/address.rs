//! Which addresses may be connected to.
//!
//! A tenant who names an upstream must not reach this machine, its network or its cloud's metadata service. The
//! question is asked for each address after the name is resolved and right before the connection is made, so that a
//! name which changes its mind (DNS rebinding) gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Decides whether a pool with [`crate::config::Reach::Guarded`] may connect to an address. Closures do.
pub trait AddressPolicy: Send + Sync + 'static {
    /// Whether it may. Asked often; must not block.
    fn permits(&self, address: SocketAddr) -> bool;
}

impl<F: Fn(SocketAddr) -> bool + Send + Sync + 'static> AddressPolicy for F {
    fn permits(&self, address: SocketAddr) -> bool {
        self(address)
    }
}

/// Permits what is public by the registries of special-purpose addresses (RFC 6890 and its successors), and what an
/// operator lists.
#[derive(Clone, Debug, Default)]
pub struct PublicAddresses {
    /// Networks that may be reached although they aren't public.
    pub allow: Vec<IpNet>,
}

impl AddressPolicy for PublicAddresses {
    fn permits(&self, address: SocketAddr) -> bool {
        let address = address.ip().to_canonical();
        let public = match address {
            IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|(start, bits)| holds_v4(*start, *bits, address)),
            IpAddr::V6(address) => {
                let holds = |(start, bits): &(Ipv6Addr, u8)| holds_v6(*start, *bits, address);
                holds(&GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(holds)
            }
        };
        public || self.allow.iter().any(|network| network.contains(&address))
    }
}

fn holds_v4(start: Ipv4Addr, bits: u8, address: Ipv4Addr) -> bool {
    Ipv4Net::new(start, bits).is_ok_and(|network| network.contains(&address))
}

fn holds_v6(start: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    Ipv6Net::new(start, bits).is_ok_and(|network| network.contains(&address))
}

const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// All that has been given out; whatever lies beside it is special.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const NOT_PUBLIC_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(policy: &PublicAddresses, address: &str) -> bool {
        policy.permits(SocketAddr::new(address.parse().unwrap(), 80))
    }

    #[test]
    fn only_public_addresses_are_permitted() {
        let policy = PublicAddresses::default();
        for public in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888"] {
            assert!(permits(&policy, public), "{public}");
        }
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!permits(&policy, other), "{other}");
        }
    }

    #[test]
    fn an_operator_can_allow_more() {
        let policy = PublicAddresses { allow: vec!["10.1.0.0/16".parse().unwrap()] };

        assert!(permits(&policy, "10.1.2.3") && permits(&policy, "::ffff:10.1.2.3"));
        assert!(!permits(&policy, "10.2.2.3"));
    }
}
