//! What the edge asks of the application behind it, and what it tells about each request.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body_util::combinators::BoxBody;
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use crate::{body::EdgeBody, trace::TraceContext};

/// The body of an answer.
pub type ResponseBody = BoxBody<Bytes, io::Error>;

/// The application behind the edge.
///
/// Each request carries an [`EdgeInfo`] in its extensions, exactly one `Host` header (on HTTP/1.0 possibly none) and
/// the `X-Request-Id` in force. A panic becomes a 500. If the answer's status is 101, the request's
/// `hyper::upgrade::OnUpgrade` extension gives the connection. What it leaves in the extensions of an answer as
/// [`crate::Particulars`] and [`crate::Charges`] is noted and told.
pub trait App: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client leaves.
    fn call(&self, request: Request<EdgeBody>) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// Looks at the head of a request that was admitted, before its body is judged; what it finds out it leaves in the
    /// extensions.
    fn prepare(&self, head: &mut request::Parts) {
        let _ = head;
    }

    /// Names the credential of a request by an opaque number, for the limit per key: a keyed hash of the raw
    /// `Authorization` header or cookie. It runs before anything is verified: no store, no await.
    fn rate_key(&self, head: &request::Parts) -> Option<u64> {
        let _ = head;
        None
    }

    /// The largest body for this request, where it is not [`crate::Config::max_body_bytes`].
    fn max_body_bytes(&self, head: &request::Parts) -> Option<u64> {
        let _ = head;
        None
    }
}

/// Which listener a connection came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListenerKind {
    Http,
    Https,
    /// The operators' listener: no rate limits, a connection budget of its own, the last to close.
    Ops,
}

impl ListenerKind {
    /// The name that metrics and logs use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ops => "ops",
        }
    }
}

/// The scheme by which the client sees us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

/// What the edge knows about a request; in its extensions.
#[derive(Clone, Debug)]
pub struct EdgeInfo {
    /// The client: the peer, or whom a trusted proxy named.
    pub client_addr: IpAddr,
    /// Who is connected to us.
    pub peer_addr: SocketAddr,
    /// Where it is connected to.
    pub local_addr: SocketAddr,
    /// `https` over TLS, or where a trusted proxy says so.
    pub scheme: Scheme,
    /// The host asked for: lower case, without the port. `None` only on HTTP/1.0.
    pub host: Option<Arc<str>>,
    /// The server name of the TLS handshake, lower case.
    pub sni: Option<Arc<str>>,
    /// The certificate that the client showed, verified against [`crate::ClientCertificates::roots`].
    pub client_certificate: Option<ClientCertificate>,
    pub request_id: RequestId,
    /// Where the request stands in a distributed trace.
    pub trace: TraceContext,
    pub listener: ListenerKind,
    /// The id of the route that took the request, if one did.
    pub route: Option<Arc<str>>,
}

/// The certificate of a client, in DER. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(Arc<[u8]>);

impl ClientCertificate {
    pub(crate) fn new(der: &CertificateDer<'_>) -> Self {
        Self(der.as_ref().into())
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// Names one request in logs, problems and the `X-Request-Id` header. Always a token of at most 128 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// A new one: `req_` and a UUIDv7 in hexadecimal.
    pub(crate) fn mint() -> Self {
        let mut text = *b"req_00000000000000000000000000000000";
        unique().simple().encode_lower(&mut text[4..]);
        let value = HeaderValue::from_bytes(&text);
        Self(value.unwrap_or(HeaderValue::from_static("req_0")))
    }

    /// Takes over a client's id if it is a harmless token.
    pub(crate) fn accept(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let sane = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:+/=~@".contains(b);
        (1..=128).contains(&bytes.len()).then_some(())?;
        bytes.iter().all(sane).then(|| Self(value.clone()))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The same as a header value, without a copy.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// A UUIDv7 without a call to the system for its random part, for each request draws some: it is a keyed hash of how many
/// there were before.
#[expect(clippy::disallowed_methods, reason = "the edge stands beside the kernel and names its own requests")]
pub(crate) fn unique() -> Uuid {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let before = BEFORE.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&KEY.hash_one(before).to_le_bytes());
    random[8..].copy_from_slice(&KEY.hash_one(!before).to_le_bytes()[..2]);
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_tokens_are_taken_over_as_request_ids() {
        let accept = |text: &str| RequestId::accept(&HeaderValue::from_str(text).unwrap());

        assert_eq!(accept("trace-42").unwrap().as_str(), "trace-42");
        assert!(accept(&"a".repeat(128)).is_some());
        for wrong in ["", "two words", "a,b", "\"x\"", "<script>", &"a".repeat(129)] {
            assert!(accept(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn minted_request_ids_differ_and_are_sane() {
        let (one, two) = (RequestId::mint(), RequestId::mint());

        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), 36);
        assert!(RequestId::accept(&one.header_value()).is_some());
    }
}
