//! TLS with the local CA.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use gateway::{ClientCertificates, Config, Edge, Listener, LocalCa, Router, Routing, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{PATIENCE, Running, any_port, config, start};

struct Secure {
    running: Running,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

fn start_tls(config: Config) -> Secure {
    let folder = tempfile::tempdir().unwrap();
    let running = start(config);
    let address = listen(&running.edge, &running, folder.path());
    Secure { running, address, folder }
}

fn listen(edge: &Edge, running: &Running, folder: &Path) -> SocketAddr {
    let ca = LocalCa::open(&folder.join("tls"), "localhost").unwrap();
    let listener = Listener::https(any_port(), Tls::new(Arc::new(ca)).unwrap()).unwrap();
    let address = listener.local_addr();
    edge.serve(listener, Arc::clone(&running.app));
    address
}

fn client(folder: &Path, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("tls/ca.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// What `localhost` answers over TLS 1.3.
pub(crate) async fn ask(folder: &Path, address: SocketAddr, path: &str) -> String {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = client(folder, &[&TLS13], &["http/1.1"]).connect(name, tcp).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

impl Secure {
    async fn connect(
        &self,
        name: &'static str,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let connecting = client(self.folder.path(), versions, alpn).connect(name, tcp);
        timeout(PATIENCE, connecting).await.unwrap()
    }

    async fn get(&self, name: &'static str, host: &str) -> String {
        let mut stream = self.connect(name, &[&TLS13], &["http/1.1"]).await.unwrap();
        let request = format!("GET /info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }
}

#[tokio::test]
async fn both_versions_and_both_protocols_are_spoken_with_a_valid_certificate() {
    let secure = start_tls(config());

    for (version, number) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)] {
        for name in ["localhost", "acme.localhost", "127.0.0.1", "::1"] {
            let stream = secure.connect(name, &[version], &["h2", "http/1.1"]).await.unwrap();
            let (_, session) = stream.get_ref();
            assert_eq!(session.protocol_version(), Some(number), "{name}");
            assert_eq!(session.alpn_protocol(), Some(b"h2".as_slice()), "{name}");
        }
    }
}

#[tokio::test]
async fn requests_over_tls_know_their_scheme_and_name() {
    let secure = start_tls(config());

    let answer = secure.get("acme.localhost", "ACME.localhost:8443").await;

    assert!(answer.contains("scheme=https host=acme.localhost listener=https sni=acme.localhost"), "{answer}");
}

#[tokio::test]
async fn a_host_other_than_the_server_name_is_misdirected() {
    let secure = start_tls(config());

    let other = secure.get("acme.localhost", "other.localhost").await;
    let by_address = secure.get("127.0.0.1", "127.0.0.1").await;

    assert!(other.starts_with("HTTP/1.1 421 ") && other.contains("edge.misdirected"), "{other}");
    assert!(by_address.starts_with("HTTP/1.1 200 "), "{by_address}");
    assert_eq!(secure.running.calls(), 1);
}

#[tokio::test]
async fn names_outside_the_base_domain_end_in_an_alert() {
    let secure = start_tls(config());

    let error = secure.connect("example.com", &[&TLS13], &["h2"]).await.unwrap_err();

    let error = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    assert!(matches!(error, Some(rustls::Error::AlertReceived(_))), "{error:?}");
}

#[tokio::test]
async fn h2_over_tls_is_served_and_checked_against_the_server_name() {
    let secure = start_tls(config());
    let stream = secure.connect("acme.localhost", &[&TLS13], &["h2"]).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    let _connection = tokio::spawn(connection);

    for (host, status) in [("acme.localhost", 200), ("other.localhost", 421)] {
        let request =
            http::Request::get(format!("https://{host}/x")).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        let response = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
        assert_eq!(response.status().as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn the_authority_is_kept_over_a_restart() {
    let first = start_tls(config());
    let second = start(config());
    let address = listen(&second.edge, &second, first.folder.path());

    let reopened = Secure { running: second, address, folder: first.folder };

    assert!(reopened.get("localhost", "localhost").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn silence_instead_of_a_handshake_is_cut() {
    let secure = start_tls(Config { handshake_timeout: Duration::from_millis(60), ..config() });
    let mut tcp = TcpStream::connect(secure.address).await.unwrap();

    let read = timeout(PATIENCE, tcp.read(&mut [0; 16])).await.unwrap();

    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

/// An authority for clients.
pub(crate) fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), root)
}

pub(crate) type ShownCertificate = (CertificateDer<'static>, PrivateKeyDer<'static>);

pub(crate) fn issued_by(authority: &Issuer<'static, KeyPair>) -> ShownCertificate {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["machine".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

/// What a client with (or without) a certificate reads at a name; an error if the edge hangs up.
async fn read_as(secure: &Secure, name: &'static str, shown: Option<ShownCertificate>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(secure.folder.path().join("tls/ca.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    let tcp = TcpStream::connect(secure.address).await?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), tcp).await?;
    stream.write_all(format!("GET /info HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap()?;
    Ok(answer)
}

#[tokio::test]
async fn clients_show_certificates_where_they_are_asked_and_routes_may_insist() {
    let folder = tempfile::tempdir().unwrap();
    let ((known, root), (stranger, _)) = (authority("known"), authority("stranger"));
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, root).unwrap();
    let routes = folder.path().join("routes.toml");
    let text = "[[routes]]\nid = \"machines\"\nmatch = { hosts = [\"machines.localhost\"] }\n\
        action = { kind = \"module\" }\nmodifiers = { client_certificate = true }\n";
    std::fs::write(&routes, text).unwrap();
    let running = start(config());
    let settings = ClientCertificates {
        roots: file.to_str().unwrap().to_owned(),
        hosts: vec!["Machines.localhost".to_owned(), "open.localhost".to_owned()],
    };
    let ca = LocalCa::open(&folder.path().join("tls"), "localhost").unwrap();
    let tls = Tls::new(Arc::new(ca)).unwrap().with_client_certificates(&settings).unwrap();
    let listener = Listener::https(any_port(), tls).unwrap();
    let address = listener.local_addr();
    let mut routed = config();
    routed.routing.file = routes.to_str().unwrap().to_owned();
    let routing = Routing::open(&routed, 1, std::time::SystemTime::now).unwrap();
    running.edge.serve(listener, Arc::new(Router::new(Arc::new(routing), Arc::clone(&running.app))));
    let secure = Secure { running, address, folder };

    let shown = read_as(&secure, "machines.localhost", Some(issued_by(&known))).await.unwrap();
    let none = read_as(&secure, "machines.localhost", None).await.unwrap();
    let open = read_as(&secure, "open.localhost", None).await.unwrap();
    let not_asked = read_as(&secure, "other.localhost", Some(issued_by(&known))).await.unwrap();
    let unknown = read_as(&secure, "machines.localhost", Some(issued_by(&stranger))).await;

    assert!(shown.contains("certificate=true"), "{shown}");
    assert!(none.starts_with("HTTP/1.1 403 ") && none.contains("edge.client_certificate_required"), "{none}");
    assert!(open.contains("certificate=false") && not_asked.contains("certificate=false"), "{open} {not_asked}");
    assert!(unknown.is_err(), "{unknown:?}");
}

#[tokio::test]
async fn roots_that_are_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ca = LocalCa::open(&folder.path().join("tls"), "localhost").unwrap();
    let missing = folder.path().join("missing.pem").display().to_string();
    let settings = ClientCertificates { roots: missing.clone(), hosts: Vec::new() };

    let error = Tls::new(Arc::new(ca)).unwrap().with_client_certificates(&settings).err().unwrap();

    assert!(error.to_string().contains(&missing), "{error}");
}
