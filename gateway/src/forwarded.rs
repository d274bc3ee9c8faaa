//! Who the client is: the peer, or whom trusted proxies name.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::{app::Scheme, config::ForwardedHeader};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whom to believe, and by which header.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) header: ForwardedHeader,
}

/// What the forwarded header told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// As the trusted proxy next to us saw it.
    pub(crate) scheme: Option<Scheme>,
}

impl Proxies {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Finds the client: walking from the right, the first address that is no trusted proxy. Headers of a peer that
    /// is not trusted are removed, so that nothing behind the edge believes them by mistake.
    pub(crate) fn client(&self, peer: IpAddr, headers: &mut HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            for name in [FOR, PROTO, HOST, header::FORWARDED] {
                headers.remove(name);
            }
            return Client { address: peer, scheme: None };
        }
        match self.header {
            ForwardedHeader::XForwardedFor => self.by_x_forwarded_for(peer, headers),
            ForwardedHeader::Forwarded => self.by_forwarded(peer, headers),
        }
    }

    fn by_x_forwarded_for(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let hops = hops(headers, &FOR).map(|hop| node_address(hop.trim()));
        let scheme = headers.get_all(&PROTO).iter().next_back().and_then(|value| {
            let last = value.to_str().ok()?.rsplit(',').next()?;
            scheme_of(last)
        });
        Client { address: self.first_untrusted(peer, hops), scheme }
    }

    fn by_forwarded(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let parameter = |hop: &str, name: &str| {
            hop.split(';').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let nearest = hops(headers, &header::FORWARDED).next();
        let scheme = nearest.and_then(|hop| scheme_of(&parameter(hop, "proto")?));
        let hops =
            hops(headers, &header::FORWARDED).map(|hop| parameter(hop, "for").and_then(|node| node_address(&node)));
        Client { address: self.first_untrusted(peer, hops), scheme }
    }

    /// An unreadable hop ends the walk: the last address that was vouched for counts.
    fn first_untrusted(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for hop in hops {
            let Some(address) = hop else { return client };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The elements of a list header, the nearest hop first.
fn hops<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    headers.get_all(name).iter().rev().flat_map(|value| value.to_str().unwrap_or("unreadable").rsplit(','))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn node_address(node: &str) -> Option<IpAddr> {
    let host = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if node.matches(':').count() == 1 => node.split_once(':')?.0,
        None => node,
    };
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn scheme_of(text: &str) -> Option<Scheme> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        text if text.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, fields: &[(&'static str, &'static str)]) -> Client {
        let trusted = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Proxies { trusted, header }.client(peer.parse().unwrap(), &mut headers)
    }

    #[test]
    fn the_right_most_untrusted_hop_of_a_trusted_peer_counts() {
        let header = ForwardedHeader::XForwardedFor;
        for (peer, fields, expected) in [
            ("192.0.2.9", vec![("x-forwarded-for", "203.0.113.7")], "192.0.2.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
            ("10.0.0.1", vec![("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.2")], "203.0.113.7"),
            ("10.0.0.1", vec![("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.7")], "203.0.113.7"),
            ("10.0.0.1", vec![("x-forwarded-for", "6.6.6.6, nonsense, 10.0.0.2")], "10.0.0.2"),
            ("::1", vec![("x-forwarded-for", "2001:db8::5")], "2001:db8::5"),
            ("10.0.0.1", vec![("forwarded", "for=203.0.113.7")], "10.0.0.1"),
        ] {
            assert_eq!(client(header, peer, &fields).address, expected.parse::<IpAddr>().unwrap(), "{peer} {fields:?}");
        }
    }

    #[test]
    fn the_forwarded_header_names_client_and_scheme() {
        let fields = [("forwarded", r#"for=6.6.6.6, for="[2001:db8::1]:4711";proto=https;by=10.0.0.1"#)];

        let found = client(ForwardedHeader::Forwarded, "10.0.0.1", &fields);

        assert_eq!(found, Client { address: "2001:db8::1".parse().unwrap(), scheme: Some(Scheme::Https) });
    }
}
