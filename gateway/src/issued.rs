//! The certificates of the edge, in their order: those that are held (files, then automatic ones), then the local CA.

use std::sync::Arc;

use edge_certificates::{Certificates, Hello};
use rustls::sign::CertifiedKey;

use crate::{local_ca::LocalCa, tls::CertificateSource};

/// Held certificates, and the local CA for what nobody else has.
pub struct IssuedCertificates {
    held: Arc<Certificates>,
    local: LocalCa,
}

impl IssuedCertificates {
    /// Answers from `held`, then from `local`; challenges are `held`'s alone.
    pub fn new(held: Arc<Certificates>, local: LocalCa) -> Self {
        Self { held, local }
    }
}

impl CertificateSource for IssuedCertificates {
    async fn certificate(&self, hello: &Hello<'_>) -> Option<Arc<CertifiedKey>> {
        match self.held.certificate(hello).await {
            Some(key) => Some(key),
            None => self.local.certificate(hello).await,
        }
    }
}
