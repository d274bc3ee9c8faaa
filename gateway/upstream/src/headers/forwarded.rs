//! What the upstream is told about the client, and about the way the request took.

use std::{fmt::Write, io, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use crate::{config::Forwarded, error::UpstreamError, forwarding::Forwarding};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// How often a request may pass through proxies of our name.
const MAX_PASSES: usize = 4;

/// Drops what the request came with (unless told to append) and says it anew.
pub(super) fn tell(headers: &mut HeaderMap, host: Option<&HeaderValue>, context: &Forwarding, settings: &Forwarded) {
    let kept = if settings.append { joined(headers, &FOR) } else { None };
    let kept_forwarded = if settings.append { joined(headers, &header::FORWARDED) } else { None };
    // The nearest to the client counts for these two, so appending means leaving them.
    let leave = |headers: &HeaderMap, name: &HeaderName| settings.append && headers.contains_key(name);
    let (leave_proto, leave_host) = (leave(headers, &PROTO), leave(headers, &HOST));
    for (name, left) in [
        (&FOR, false),
        (&PROTO, leave_proto),
        (&HOST, leave_host),
        (&PORT, false),
        (&REAL_IP, false),
        (&header::FORWARDED, false),
    ] {
        if !left {
            headers.remove(name);
        }
    }
    if settings.x_forwarded {
        let client = context.client.to_canonical();
        match kept {
            Some(kept) => insert(headers, FOR, &format!("{kept}, {client}")),
            None => drop(headers.insert(FOR, alone(client))),
        }
        if !leave_proto {
            headers.insert(PROTO, HeaderValue::from_static(context.scheme));
        }
        if let (Some(host), false) = (host, leave_host) {
            headers.insert(HOST, host.clone());
        }
    }
    if settings.forwarded {
        let element = element(context.client, context.scheme, host);
        insert(
            headers,
            header::FORWARDED,
            &kept_forwarded.map_or(element.clone(), |kept| format!("{kept}, {element}")),
        );
    }
}

/// An address as a field, without a text of its own in between.
fn alone(client: IpAddr) -> HeaderValue {
    let mut space = [0_u8; 64];
    let mut rest = &mut space[..];
    // The longest address has 45 characters.
    let written = io::Write::write_fmt(&mut rest, format_args!("{client}")).map(|()| 64 - rest.len());
    let text = &space[..written.unwrap_or_default()];
    HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// One element of `Forwarded` (RFC 7239, section 4).
fn element(client: IpAddr, scheme: &str, host: Option<&HeaderValue>) -> String {
    let mut text = match client.to_canonical() {
        IpAddr::V4(client) => format!("for={client};proto={scheme}"),
        IpAddr::V6(client) => format!("for=\"[{client}]\";proto={scheme}"),
    };
    // A host has no quotes or backslashes, or it isn't told.
    let plain = host.and_then(|host| host.to_str().ok()).filter(|host| !host.contains(['"', '\\']));
    if let Some(host) = plain {
        let written = write!(text, ";host=\"{host}\"");
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    text
}

/// Adds us to `Via`.
///
/// # Errors
/// [`UpstreamError::Loop`] if the request has come through here too often.
pub(super) fn sign(headers: &mut HeaderMap, version: Version, settings: &Forwarded) -> Result<(), UpstreamError> {
    let before = joined(headers, &header::VIA);
    if let Some(before) = &before {
        let ours = |element: &&str| element.split_whitespace().nth(1) == Some(settings.via.as_str());
        if before.split(',').filter(ours).count() >= MAX_PASSES {
            return Err(UpstreamError::Loop);
        }
    }
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    let via = &settings.via;
    insert(
        headers,
        header::VIA,
        &before.map_or(format!("{version} {via}"), |before| format!("{before}, {version} {via}")),
    );
    Ok(())
}

/// All fields of a name as one list; none if there is nothing that could be read.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let joined = values.join(", ");
    (!joined.trim().is_empty()).then_some(joined)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    } else {
        debug_assert!(false, "{name}: {text:?} is made of valid parts");
    }
}
