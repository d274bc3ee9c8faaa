//! TLS 1.3 and 1.2 by rustls: the certificate is chosen per handshake, asynchronously, by the server name.

use std::sync::Arc;

use edge_certificates::Hello;
use futures_util::future::BoxFuture;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

/// Where certificates come from: the local CA, ACME, files. One that is held is given at once, without I/O.
pub trait CertificateSource: Send + Sync + 'static {
    /// The certificate for a handshake, whose server name is in lower case; `None` as a name if the client sent none, as
    /// it does for addresses. `None` as an answer refuses the handshake.
    fn certificate(&self, hello: &Hello<'_>) -> impl Future<Output = Option<Arc<CertifiedKey>>> + Send;
}

/// Certificates that clients show (mutual TLS).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificates {
    /// A PEM file with the roots of those who issue them. Empty: clients are not asked.
    pub roots: String,
    /// The names at which clients are asked; empty: at all.
    pub hosts: Vec<String>,
}

/// The one protocol of a handshake that answers a challenge (RFC 8737, section 6.2).
const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

#[derive(Clone)]
struct Asking {
    config: Arc<ServerConfig>,
    /// None: at all names.
    hosts: Option<Arc<[String]>>,
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("TLS can't be set up: {0}")]
    Provider(#[from] rustls::Error),
    #[error("gateway.client_certificates.roots: {0}")]
    ClientRoots(String),
}

/// How an HTTPS listener speaks TLS. Make one for the process: its ticket keys make resumption work on all listeners.
#[derive(Clone)]
pub struct Tls {
    base: Arc<ServerConfig>,
    /// For handshakes of CAs: their own protocol, no tickets.
    challenge: Arc<ServerConfig>,
    /// For names at which clients are asked for a certificate.
    asking: Option<Asking>,
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
        let mut challenge = base.clone();
        challenge.alpn_protocols = vec![CHALLENGE_PROTOCOL.to_vec()];
        challenge.session_storage = Arc::new(NoServerSessionStorage {});
        challenge.send_tls13_tickets = 0;
        base.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        base.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Self { base: Arc::new(base), challenge: Arc::new(challenge), asking: None, source })
    }

    /// The same, asking clients for a certificate as `settings` say; who shows none still gets in, and routes refuse.
    ///
    /// # Errors
    /// [`TlsError::ClientRoots`] if the file holds no certificate.
    pub fn with_client_certificates(mut self, settings: &ClientCertificates) -> Result<Self, TlsError> {
        if settings.roots.is_empty() {
            return Ok(self);
        }
        let unusable = |why: String| TlsError::ClientRoots(format!("{}: {why}", settings.roots));
        let mut roots = RootCertStore::empty();
        let read = CertificateDer::pem_file_iter(&settings.roots).map_err(|error| unusable(error.to_string()))?;
        for certificate in read {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(NoCertificate));
        config.alpn_protocols.clone_from(&self.base.alpn_protocols);
        config.ticketer = Arc::clone(&self.base.ticketer);
        let hosts = settings.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let hosts = (!settings.hosts.is_empty()).then_some(hosts);
        self.asking = Some(Asking { config: Arc::new(config), hosts });
        Ok(self)
    }

    /// The same for QUIC: ALPN offers `h3` alone, no early data, and tickets that TCP does not take.
    ///
    /// # Errors
    /// If the crypto provider can't make ticket keys.
    pub(crate) fn for_quic(&self) -> Result<Self, TlsError> {
        let ticketer = aws_lc_rs::Ticketer::new()?;
        let quic = |config: &ServerConfig| {
            let mut config = config.clone();
            config.alpn_protocols = vec![b"h3".to_vec()];
            config.ticketer = Arc::clone(&ticketer);
            config.max_early_data_size = 0;
            Arc::new(config)
        };
        let asking =
            self.asking.as_ref().map(|asking| Asking { config: quic(&asking.config), hosts: asking.hosts.clone() });
        let source = Arc::clone(&self.source);
        Ok(Self { base: quic(&self.base), challenge: Arc::clone(&self.challenge), asking, source })
    }

    /// The configuration for one handshake; none if there is no certificate for the name.
    pub(crate) async fn config_for(&self, hello: &Hello<'_>) -> Option<Arc<ServerConfig>> {
        let key = self.source.certificate(hello).await?;
        let mut config = ServerConfig::clone(self.base_for(hello));
        config.cert_resolver = Arc::new(SingleCertAndKey::from(key));
        Some(Arc::new(config))
    }

    fn base_for(&self, hello: &Hello<'_>) -> &ServerConfig {
        if hello.is_challenge() {
            return &self.challenge;
        }
        let asks = |asking: &&Asking| {
            let named = |hosts: &Arc<[String]>| hosts.iter().any(|host| Some(host.as_str()) == hello.server_name);
            asking.hosts.as_ref().is_none_or(named)
        };
        self.asking.as_ref().filter(asks).map_or(&self.base, |asking| &asking.config)
    }

    /// A configuration with which every handshake ends in an alert.
    pub(crate) fn refusing(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.base)
    }
}

/// [`CertificateSource`] without its type, so that the accept loop has one type less.
trait ErasedSource: Send + Sync {
    fn certificate<'a>(&'a self, hello: &'a Hello<'_>) -> BoxFuture<'a, Option<Arc<CertifiedKey>>>;
}

impl<C: CertificateSource> ErasedSource for C {
    fn certificate<'a>(&'a self, hello: &'a Hello<'_>) -> BoxFuture<'a, Option<Arc<CertifiedKey>>> {
        Box::pin(CertificateSource::certificate(self, hello))
    }
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
