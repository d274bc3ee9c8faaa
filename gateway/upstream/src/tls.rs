//! TLS towards targets: whom to believe, who we are, which protocols we offer.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};

use crate::config::{Place, TlsConfig};

/// The system's authorities, read when a pool needs them for the first time.
#[derive(Clone, Debug, Default)]
pub(crate) struct SystemRoots(Arc<OnceLock<Arc<RootCertStore>>>);

impl SystemRoots {
    fn get(&self) -> Arc<RootCertStore> {
        let read = || {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate authority of the system can't be read");
            }
            let mut roots = RootCertStore::empty();
            let (added, ignored) = roots.add_parsable_certificates(found.certs);
            tracing::debug!(added, ignored, "certificate authorities of the system");
            Arc::new(roots)
        };
        Arc::clone(self.0.get_or_init(read))
    }
}

/// How to speak TLS with one target.
#[derive(Clone, Debug)]
pub(crate) struct TlsClient {
    /// Offers HTTP/2 and HTTP/1.1.
    pub(crate) any: Arc<ClientConfig>,
    /// Offers HTTP/1.1 alone, as an upgrade needs.
    pub(crate) http1: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

/// Whether the settings can work.
///
/// # Errors
/// A sentence about what can't.
pub(crate) fn check(settings: &TlsConfig) -> Result<(), String> {
    if settings.ca.is_none() && settings.client_certificate.is_none() {
        return Ok(());
    }
    // The system's authorities aren't needed to see whether the rest is right.
    configure(settings, || Arc::new(RootCertStore::empty())).map(drop)
}

impl TlsClient {
    pub(crate) fn new(settings: &TlsConfig, place: &Place, system: &SystemRoots) -> Result<Self, String> {
        let mut http1 = configure(settings, || system.get())?;
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut any = http1.clone();
        if !settings.http1_only {
            any.alpn_protocols.insert(0, b"h2".to_vec());
        }
        let name = settings.server_name.as_deref().unwrap_or(&place.host).to_owned();
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        Ok(Self { any: Arc::new(any), http1: Arc::new(http1), name })
    }
}

fn configure(settings: &TlsConfig, system: impl FnOnce() -> Arc<RootCertStore>) -> Result<ClientConfig, String> {
    let roots = match &settings.ca {
        Some(pem) => Arc::new(authorities(pem)?),
        None => system(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let Some(own) = &settings.client_certificate else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(&own.chain).ok_or("client_certificate.chain must be certificates in PEM")?;
    let key = PrivateKeyDer::from_pem_slice(own.key.expose().as_bytes())
        .map_err(|_| "client_certificate.key must be a private key in PEM")?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|_| "client_certificate.key must belong to client_certificate.chain".to_owned())
}

fn authorities(pem: &str) -> Result<RootCertStore, String> {
    let wrong = "ca must be certificates in PEM";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).ok_or(wrong)? {
        roots.add(certificate).map_err(|_| wrong)?;
    }
    Ok(roots)
}

fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}
