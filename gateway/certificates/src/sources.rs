//! The chain of sources that a handshake is answered from: files first, then managed certificates. The local CA comes
//! after them, in the gateway.

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use crate::{name::Name, serve::Managed, static_files::StaticCertificates, tls_alpn};

/// What a client's first message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The server name (SNI); none for addresses.
    pub server_name: Option<&'a str>,
    /// The protocols offered (ALPN).
    pub alpn: Vec<&'a [u8]>,
}

impl Hello<'_> {
    /// A CA looks at a TLS-ALPN-01 challenge: it offers `acme-tls/1` and nothing else (RFC 8737, section 3). Such a
    /// handshake ends when it is complete; no request follows, and the answer must choose that protocol.
    pub fn is_challenge(&self) -> bool {
        matches!(self.alpn.as_slice(), [tls_alpn::PROTOCOL])
    }
}

/// Certificates for handshakes.
pub struct Certificates {
    files: Option<Arc<StaticCertificates>>,
    managed: Option<Arc<Managed>>,
}

impl Certificates {
    /// Answers from `files`, then from `managed`.
    pub fn new(files: Option<Arc<StaticCertificates>>, managed: Option<Arc<Managed>>) -> Self {
        Self { files, managed }
    }

    /// The certificate for a handshake; none: ask the next source, unless it is a challenge, which nobody else knows.
    /// What is in memory is given without I/O.
    pub async fn certificate(&self, hello: &Hello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = Name::parse(hello.server_name?).ok().filter(|name| !name.is_wildcard())?;
        if hello.is_challenge() {
            return self.managed.as_ref()?.challenge(&name).await;
        }
        if let Some(key) = self.files.as_ref().and_then(|files| files.certificate(&name)) {
            return Some(key);
        }
        self.managed.as_ref()?.certificate(&name).await
    }
}
