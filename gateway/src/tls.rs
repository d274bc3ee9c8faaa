//! TLS 1.3 and 1.2 by rustls: the certificate is chosen per handshake, asynchronously, by the server name.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, SingleCertAndKey},
};

/// Where certificates come from: the local CA, ACME, files. One that is held is given at once, without I/O.
pub trait CertificateSource: Send + Sync + 'static {
    /// The certificate for a server name (lower case); `None` as a name if the client sent none, as it does for
    /// addresses. `None` as an answer refuses the handshake.
    fn certificate(&self, server_name: Option<&str>) -> impl Future<Output = Option<Arc<CertifiedKey>>> + Send;
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS can't be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// How an HTTPS listener speaks TLS. Make one for the process: its ticket keys make resumption work on all listeners.
#[derive(Clone)]
pub struct Tls {
    base: Arc<ServerConfig>,
    source: Arc<dyn ErasedSource>,
}

impl Tls {
    /// ALPN offers `h2` and `http/1.1`; ticket keys rotate by themselves.
    ///
    /// # Errors
    /// If the crypto provider can't make ticket keys.
    pub fn new<C: CertificateSource>(source: Arc<C>) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut base = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(NoCertificate));
        base.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        base.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Self { base: Arc::new(base), source })
    }

    /// The configuration for one handshake; none if there is no certificate for the name.
    pub(crate) async fn config_for(&self, server_name: Option<&str>) -> Option<Arc<ServerConfig>> {
        let key = self.source.certificate(server_name).await?;
        let mut config = ServerConfig::clone(&self.base);
        config.cert_resolver = Arc::new(SingleCertAndKey::from(key));
        Some(Arc::new(config))
    }

    /// A configuration with which every handshake ends in an alert.
    pub(crate) fn refusing(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.base)
    }
}

/// [`CertificateSource`] without its type, so that the accept loop has one type less.
trait ErasedSource: Send + Sync {
    fn certificate<'a>(&'a self, server_name: Option<&'a str>) -> BoxFuture<'a, Option<Arc<CertifiedKey>>>;
}

impl<C: CertificateSource> ErasedSource for C {
    fn certificate<'a>(&'a self, server_name: Option<&'a str>) -> BoxFuture<'a, Option<Arc<CertifiedKey>>> {
        Box::pin(CertificateSource::certificate(self, server_name))
    }
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
