//! An edge that speaks HTTP/3, and clients of it.

use std::{future::poll_fn, net::SocketAddr, sync::Arc};

use bytes::{Buf, Bytes};
use gateway::{CertificateSource, Config, Listener, LocalCa, Tls};
use h3::{client::SendRequest, error::StreamError};
use http::{Request, Response};
use quinn::{ClientConfig, Endpoint, crypto::rustls::QuicClientConfig};
use rustls::{RootCertStore, crypto::aws_lc_rs, version::TLS13};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{task::JoinHandle, time::timeout};

use crate::support::{PATIENCE, Running, any_port, start};

pub(crate) type Stream = h3::client::RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;
pub(crate) type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

pub(crate) struct Quic {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
}

/// With the local CA of `localhost`.
pub(crate) fn start_quic(config: Config) -> Quic {
    start_with(config, Ok)
}

/// With what is made of the local CA.
pub(crate) fn start_with<C: CertificateSource>(
    config: Config,
    source: impl FnOnce(LocalCa) -> Result<C, std::convert::Infallible>,
) -> Quic {
    let folder = tempfile::tempdir().unwrap();
    let running = start(config);
    let ca = LocalCa::open(&folder.path().join("tls"), "localhost").unwrap();
    let Ok(source) = source(ca);
    let listener = Listener::https(any_port(), Tls::new(Arc::new(source)).unwrap()).unwrap();
    let listener = listener.with_http3(None).unwrap();
    let address = listener.local_addr();
    running.edge.serve(listener, Arc::clone(&running.app));
    Quic { running, address, folder }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) connection: quinn::Connection,
    pub(crate) send: SendRequest<h3_quinn::OpenStreams, Bytes>,
    _driver: JoinHandle<h3::error::ConnectionError>,
}

impl Quic {
    pub(crate) async fn quinn(&self, name: &str, shown: Option<Shown>) -> Result<quinn::Connection, String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("tls/ca.pem")).unwrap()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shown {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h3".to_vec()];
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()));
        let endpoint = Endpoint::client(any_port()).unwrap();
        let connecting = endpoint.connect_with(config, self.address, name).map_err(|error| error.to_string())?;
        timeout(PATIENCE, connecting).await.unwrap().map_err(|error| error.to_string())
    }

    pub(crate) async fn connect(&self, name: &str) -> Client {
        Client::over(self.quinn(name, None).await.unwrap()).await
    }
}

impl Client {
    pub(crate) async fn over(connection: quinn::Connection) -> Self {
        let own = h3_quinn::Connection::new(connection.clone());
        let (mut driver, send) = h3::client::new(own).await.unwrap();
        let driver = tokio::spawn(async move { poll_fn(|cx| driver.poll_close(cx)).await });
        Self { connection, send, _driver: driver }
    }

    /// A request whose body is still to come.
    pub(crate) async fn begin(&mut self, request: Request<()>) -> Stream {
        timeout(PATIENCE, self.send.send_request(request)).await.unwrap().unwrap()
    }

    pub(crate) async fn try_ask(
        &mut self,
        request: Request<()>,
        body: &[u8],
    ) -> Result<(Response<()>, String), StreamError> {
        let asked = async {
            let mut stream = self.send.send_request(request).await?;
            if !body.is_empty() {
                // The edge may answer before it has read all.
                drop(stream.send_data(Bytes::copy_from_slice(body)).await);
            }
            drop(stream.finish().await);
            answer(&mut stream).await
        };
        timeout(PATIENCE, asked).await.expect("an answer")
    }

    pub(crate) async fn ask(&mut self, request: Request<()>, body: &[u8]) -> (Response<()>, String) {
        self.try_ask(request, body).await.unwrap()
    }

    pub(crate) async fn get(&mut self, target: &str) -> (Response<()>, String) {
        self.ask(get(target), b"").await
    }

    /// The code with which the edge closes the connection.
    pub(crate) async fn closed(&self) -> u64 {
        match timeout(PATIENCE, self.connection.closed()).await.expect("the edge closes") {
            quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            error => panic!("{error}"),
        }
    }
}

pub(crate) fn get(target: &str) -> Request<()> {
    Request::get(format!("https://localhost{target}")).body(()).unwrap()
}

pub(crate) fn post(target: &str) -> Request<()> {
    Request::post(format!("https://localhost{target}")).body(()).unwrap()
}

pub(crate) async fn answer(stream: &mut Stream) -> Result<(Response<()>, String), StreamError> {
    let response = stream.recv_response().await?;
    let mut body = Vec::new();
    while let Some(mut piece) = stream.recv_data().await? {
        body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
    }
    Ok((response, String::from_utf8(body).unwrap()))
}
