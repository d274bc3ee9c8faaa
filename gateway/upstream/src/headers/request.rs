//! A request is written anew: nothing of the client's framing or of its connection goes on.

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header, request, uri::PathAndQuery};

use super::{forwarded, hop};
use crate::{
    config::{Forwarded, HostHeader},
    error::UpstreamError,
    forwarding::Forwarding,
};

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// What a body looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is none.
    None,
    Known,
    /// To be found out by reading.
    Unknown,
}

/// A request's head as it may go to any target of the pool.
#[derive(Clone, Debug)]
pub(crate) struct Rewritten {
    pub(crate) method: Method,
    pub(crate) target: PathAndQuery,
    /// Without `Host` and without framing.
    pub(crate) headers: HeaderMap,
    pub(crate) manner: Manner,
}

/// What becomes of fields that differ from connection to connection.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// What the client asked for, or the pool fixed; none if the target's own is to be used.
    pub(crate) host: Option<HeaderValue>,
    pub(crate) length: Length,
    /// The protocols to change to, if that is asked for and allowed.
    pub(crate) upgrade: Option<HeaderValue>,
    /// Whether the client understands trailers.
    pub(crate) trailers: bool,
}

/// Cleans a request's head and tells the upstream about the client. The fields of `context` go into it.
///
/// # Errors
/// [`UpstreamError::NotForwardable`] or [`UpstreamError::Loop`].
pub(crate) fn rewrite(
    head: request::Parts,
    length: Length,
    context: &mut Forwarding,
    settings: &Forwarded,
    host: &HostHeader,
) -> Result<Rewritten, UpstreamError> {
    let mut headers = head.headers;
    if head.method == Method::CONNECT {
        return Err(UpstreamError::NotForwardable);
    }
    let target = match head.uri.path_and_query() {
        Some(target) if target.as_str().starts_with('/') => target.clone(),
        Some(target) if target.as_str() == "*" && head.method == Method::OPTIONS => target.clone(),
        _ => PathAndQuery::from_static("/"),
    };
    let upgrade = if context.upgrades { wanted_upgrade(&headers, head.version, length) } else { None };
    let trailers = hop::has_token(&headers, &header::TE, "trailers");
    hop::remove(&mut headers);
    hop::remove_lookalikes(&mut headers, &context.fields);
    // RFC 9110, section 10.1.1: the client has its 100 as soon as the body is read.
    headers.remove(header::EXPECT);
    headers.remove(header::CONTENT_LENGTH);
    let asked = headers.remove(header::HOST).or_else(|| authority(&head.uri));
    forwarded::tell(&mut headers, asked.as_ref(), context, settings);
    forwarded::sign(&mut headers, head.version, settings)?;
    // What stands there under the same name is replaced.
    headers.extend(std::mem::take(&mut context.fields));
    let host = match host {
        HostHeader::Keep => asked,
        HostHeader::Target => None,
        HostHeader::Fixed(fixed) => HeaderValue::from_str(fixed).ok(),
    };
    let manner = Manner { host, length, upgrade, trailers };
    Ok(Rewritten { method: head.method, target, headers, manner })
}

fn authority(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?.as_str();
    let bare = authority.rsplit('@').next().unwrap_or(authority);
    HeaderValue::from_str(bare).ok()
}

/// The protocols of a proper upgrade request: HTTP/1.1, named in `Connection`, without a body. HTTP/2 in the clear is
/// none of them, for what follows would pass by unseen.
fn wanted_upgrade(headers: &HeaderMap, version: Version, length: Length) -> Option<HeaderValue> {
    let asked = hop::has_token(headers, &header::CONNECTION, "upgrade");
    if version != Version::HTTP_11 || length != Length::None || !asked {
        return None;
    }
    let mut values = headers.get_all(header::UPGRADE).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let mut protocols = hop::tokens(value).peekable();
    protocols.peek()?;
    let http = |protocol: &str| protocol.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("h2"));
    (!protocols.any(|protocol| http(protocol) || protocol.to_ascii_lowercase().starts_with("http")))
        .then(|| value.clone())
}

impl Rewritten {
    /// Whether doing it twice is the same as doing it once (RFC 9110, section 9.2.2), and it can be sent twice.
    pub(crate) fn repeatable(&self) -> bool {
        let idempotent = matches!(
            self.method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
        );
        idempotent && self.manner.length == Length::None && self.manner.upgrade.is_none()
    }

    /// The head for an HTTP/1.1 connection. hyper adds the length of a body that knows it.
    pub(crate) fn for_http1(self, authority: &str) -> Option<request::Parts> {
        let Self { method, target, mut headers, manner } = self;
        headers.insert(header::HOST, host_or(manner.host, authority)?);
        match manner.length {
            Length::None if matches!(method, Method::POST | Method::PUT | Method::PATCH) => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            Length::None | Length::Known => {}
            Length::Unknown => {
                headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
        let connection = match (manner.upgrade, manner.trailers) {
            (Some(protocols), _) => {
                headers.insert(header::UPGRADE, protocols);
                Some("upgrade")
            }
            (None, true) => {
                headers.insert(header::TE, TRAILERS);
                Some("te")
            }
            (None, false) => None,
        };
        if let Some(connection) = connection {
            headers.insert(header::CONNECTION, HeaderValue::from_static(connection));
        }
        Some(parts(method, Uri::from(target), headers, Version::HTTP_11))
    }

    /// The head for an HTTP/2 connection (RFC 9113, section 8.3.1).
    pub(crate) fn for_http2(self, scheme: &str, authority: &str) -> Option<request::Parts> {
        let Self { method, target, mut headers, manner } = self;
        let host = host_or(manner.host, authority)?;
        if manner.trailers {
            headers.insert(header::TE, TRAILERS);
        }
        let uri = Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(target);
        Some(parts(method, uri.build().ok()?, headers, Version::HTTP_2))
    }

    /// Takes back a head that was not sent.
    pub(crate) fn unsent(head: request::Parts, manner: Manner) -> Self {
        let mut headers = head.headers;
        for name in [
            header::HOST,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
            header::TE,
            header::CONNECTION,
        ] {
            headers.remove(name);
        }
        let target = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { method: head.method, target, headers, manner }
    }
}

fn host_or(host: Option<HeaderValue>, authority: &str) -> Option<HeaderValue> {
    host.or_else(|| HeaderValue::from_str(authority).ok())
}

fn parts(method: Method, uri: Uri, headers: HeaderMap, version: Version) -> request::Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = method;
    parts.uri = uri;
    parts.headers = headers;
    parts.version = version;
    parts
}
