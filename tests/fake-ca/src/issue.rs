//! Real certificates for the wire.

use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::CertificateSigningRequestDer;

use crate::{
    ca::{Certificate, Problem},
    faults::WrongCertificate,
    jws::malformed,
};

/// The key of the CA, and its root.
pub struct Signer {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
}

impl Signer {
    /// A new root.
    ///
    /// # Panics
    /// If the crypto library fails.
    #[expect(clippy::expect_used, reason = "a test without a root is none")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Fake CA root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root");
        Self { root_pem: root.pem(), issuer: Issuer::new(params, key) }
    }

    /// The root in PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// What a request asks for: the names, and the key in DER.
    pub(crate) fn asked(csr: &[u8]) -> Result<(Vec<String>, Vec<u8>), Problem> {
        let request = Self::request(csr)?;
        let names = request.params.subject_alt_names.iter().filter_map(|name| match name {
            SanType::DnsName(name) => Some(name.to_string()),
            _ => None,
        });
        Ok((names.collect(), request.public_key.subject_public_key_info()))
    }

    fn request(csr: &[u8]) -> Result<CertificateSigningRequestParams, Problem> {
        let csr = CertificateSigningRequestDer::from(csr.to_vec());
        CertificateSigningRequestParams::from_der(&csr)
            .map_err(|error| Problem::acme(400, "badCSR", &error.to_string()))
    }

    /// The chain of a certificate in PEM.
    pub(crate) fn sign(&self, csr: &[u8], certificate: &Certificate) -> Result<String, Problem> {
        let wrong = |error: rcgen::Error| malformed(&error.to_string());
        let mut request = Self::request(csr)?;
        let params = &mut request.params;
        *params = CertificateParams::new(certificate.names.clone()).map_err(wrong)?;
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from_slice(&certificate.serial.to_be_bytes()));
        params.not_before = SystemTime::from(certificate.not_before).into();
        params.not_after = SystemTime::from(certificate.not_after).into();
        params.use_authority_key_identifier_extension = true;
        let leaf = if certificate.wrong == Some(WrongCertificate::OtherKey) {
            let other = KeyPair::generate().map_err(wrong)?;
            request.params.signed_by(&other, &self.issuer).map_err(wrong)?
        } else {
            request.signed_by(&self.issuer).map_err(wrong)?
        };
        Ok(format!("{}{}", leaf.pem(), self.root_pem))
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}
