//! The wire face on a real TLS socket.

use std::{net::SocketAddr, sync::Arc};

use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, sync::DropGuard, task::TaskTracker};

use crate::wire::WireCa;

/// A CA that listens until this is dropped.
pub struct Served {
    pub address: SocketAddr,
    /// The root of its HTTPS, in PEM.
    pub root_pem: String,
    _stop: DropGuard,
}

/// Listens on a free port of this machine; the CA's addresses name it.
///
/// # Panics
/// If there is no port or no key.
#[expect(clippy::expect_used, reason = "a test without a server is none")]
pub async fn serve(wire: Arc<WireCa>) -> Served {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    wire.set_base(format!("https://localhost:{}", address.port()));
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (stopping, connections) = (stop.clone(), tasks.clone());
    tasks.spawn(async move {
        while let Some(Ok((stream, _))) = stopping.run_until_cancelled(listener.accept()).await {
            let (acceptor, wire, stop) = (acceptor.clone(), Arc::clone(&wire), stopping.clone());
            connections.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(Arc::clone(&wire), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let _ended = stop.run_until_cancelled(connection).await;
            });
        }
    });
    Served { address, root_pem: certificate.pem(), _stop: stop.drop_guard() }
}

async fn answer(
    wire: Arc<WireCa>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<http_body_util::Full<bytes::Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(wire.answer(&parts.method, parts.uri.path(), &body).await)
}
