//! TLS towards the upstream servers.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// How an `https://` target proves who it is, and we to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// PEM of the authorities to believe, instead of the system's.
    pub ca: Option<String>,
    /// The name for SNI and for the certificate, instead of the target's host.
    pub server_name: Option<String>,
    /// What we show when asked (mTLS).
    pub client_certificate: Option<ClientCertificate>,
    /// Speak HTTP/1.1 even where the target offers HTTP/2.
    pub http1_only: bool,
}

/// Our certificate for an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// PEM: the certificate, then its issuers.
    pub chain: String,
    /// PEM.
    pub key: PrivateKeyPem,
}

/// A private key that neither logs nor memory keep.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PrivateKeyPem(#[serde(deserialize_with = "zeroizing")] Zeroizing<String>);

fn zeroizing<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(input).map(Zeroizing::new)
}

impl PrivateKeyPem {
    pub fn new(pem: String) -> Self {
        Self(Zeroizing::new(pem))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyPem(…)")
    }
}
