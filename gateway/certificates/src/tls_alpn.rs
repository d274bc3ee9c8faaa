//! The certificate that answers a TLS-ALPN-01 challenge (RFC 8737): self-signed, with the digest of the key
//! authorization in a critical extension.

use std::sync::Arc;

use ::aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The protocol that a CA offers in such a handshake, alone.
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// The answer for `host`.
pub(crate) fn certificate(host: &str, key_authorization: &str) -> Option<Arc<CertifiedKey>> {
    made(host, key_authorization).map_or_else(
        |error| {
            tracing::error!(host, %error, "a challenge certificate can't be made");
            None
        },
        Some,
    )
}

fn made(host: &str, key_authorization: &str) -> Result<Arc<CertifiedKey>, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    let digest = digest(&SHA256, key_authorization.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = aws_lc_rs::default_provider().key_provider.load_private_key(key)?;
    // Not `from_der`, which reads the certificate and refuses a critical extension that it doesn't know.
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_host_and_carries_the_digest_critically() {
        let key = certificate("a.example.com", "token.thumbprint").unwrap();

        let (_, leaf) = x509_parser::parse_x509_certificate(&key.cert[0]).unwrap();
        let acme = leaf.extensions().iter().find(|one| one.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(acme.critical);
        // An octet string of 32 bytes inside the extension's own (RFC 8737, section 3).
        assert_eq!(acme.value[..2], [4, 32]);
        assert_eq!(&acme.value[2..], digest(&SHA256, b"token.thumbprint").as_ref());
    }
}
