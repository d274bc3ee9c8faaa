//! The authority of a request: `host [":" port]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).

use std::{net::Ipv6Addr, str};

/// The host of an authority, without its port, if the authority is valid. User information is refused.
pub(crate) fn host_of(authority: &[u8]) -> Option<&str> {
    let text = str::from_utf8(authority).ok()?;
    let (host, port) = split_port(text)?;
    let port_valid = port.is_none_or(valid_port);
    (port_valid && valid_host(host)).then_some(host)
}

/// Whether two authorities name the same: host without regard to case, ports equal or absent alike.
pub(crate) fn same_authority(one: &[u8], other: &[u8], default_port: &str) -> bool {
    let parts = |authority| {
        let (host, port) = split_port(str::from_utf8(authority).ok()?)?;
        Some((host, port.filter(|port| !port.is_empty()).unwrap_or(default_port)))
    };
    match (parts(one), parts(other)) {
        (Some((host, port)), Some((other_host, other_port))) => {
            host.eq_ignore_ascii_case(other_host) && port == other_port
        }
        _ => false,
    }
}

fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if text.starts_with('[') {
        let end = text.find(']')? + 1;
        let rest = &text[end..];
        return match rest.strip_prefix(':') {
            Some(port) => Some((&text[..end], Some(port))),
            None => rest.is_empty().then_some((text, None)),
        };
    }
    Some(match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

fn valid_port(port: &str) -> bool {
    port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn valid_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    (1..=253).contains(&host.len()) && host.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for (authority, host) in [
            ("localhost", "localhost"),
            ("Acme.localhost:8443", "Acme.localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("a:", "a"),
        ] {
            assert_eq!(host_of(authority.as_bytes()), Some(host), "{authority}");
        }
        for wrong in
            ["", ":80", "a b", "a,b", "u@a", "a:b", "a:70000", "a:123456", "[::1", "[::1]x", "[x]", "a/b", "a\0", "é"]
        {
            assert_eq!(host_of(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn authorities_compare_without_case_and_with_the_default_port() {
        assert!(same_authority(b"A.localhost", b"a.localhost:80", "80"));
        assert!(!same_authority(b"a.localhost", b"b.localhost", "80"));
        assert!(!same_authority(b"a:80", b"a:81", "80"));
    }
}
