//! HTTP/2, TLS, and what they agree on.

use std::{collections::BTreeMap, sync::Arc};

use edge_upstream::config::{ClientCertificate, PoolConfig, PrivateKeyPem};
use http::{Request, Version};
use hyper::body::Incoming;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs, server::WebPkiClientVerifier};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::support::{Fixture, Upstream, context, fixture, get, listen, pools, serve, settings, text, text_of};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate, key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }
}

/// A TLS server that tells the protocol and the server name of each request.
async fn secured(authority: &Authority, protocols: &[&str], clients: Option<&Authority>) -> Upstream {
    let (certificate, key) = authority.sign("upstream.test");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(clients.roots(), provider).build().unwrap(),
        ),
        None => builder.with_no_client_auth(),
    };
    let key = rustls_pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Upstream::accepting(listen().await, move |stream, seen| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let sni = stream.get_ref().1.server_name().unwrap_or("-").to_owned();
            serve(stream, seen, move |request: Request<Incoming>| {
                let told = format!("{:?} {sni} {}", request.version(), request.headers().contains_key("upgrade"));
                async move { text(told) }
            })
            .await;
        }
    })
}

fn config(upstream: &Upstream, authority: &Authority) -> PoolConfig {
    let mut config =
        settings(&[format!("https://localhost:{}", upstream.address.port())], r#""retry": {"attempts": 0}"#);
    config.tls.ca = Some(authority.pem());
    config.tls.server_name = Some("upstream.test".to_owned());
    config
}

fn with(config: PoolConfig) -> Fixture {
    let pools = pools();
    pools.replace(BTreeMap::from([("p".to_owned(), config)])).unwrap();
    let pool = pools.get("p").unwrap();
    Fixture { pools, pool }
}

#[tokio::test]
async fn over_tls_the_better_protocol_is_agreed_on() {
    let authority = Authority::new();
    let both = secured(&authority, &["h2", "http/1.1"], None).await;
    let old = secured(&authority, &["http/1.1"], None).await;
    let mute = secured(&authority, &[], None).await;

    let told = async |config| with(config).text(get("/")).await;
    assert_eq!(told(config(&both, &authority)).await, Ok((200, "HTTP/2.0 upstream.test false".to_owned())));
    for upstream in [&old, &mute] {
        assert_eq!(told(config(upstream, &authority)).await, Ok((200, "HTTP/1.1 upstream.test false".to_owned())));
    }
    let mut only = config(&both, &authority);
    only.tls.http1_only = true;
    assert_eq!(told(only).await, Ok((200, "HTTP/1.1 upstream.test false".to_owned())));
}

#[tokio::test]
async fn an_upgrade_goes_by_http_1_even_where_the_rest_does_not() {
    let authority = Authority::new();
    let upstream = secured(&authority, &["h2", "http/1.1"], None).await;
    let fixture = with(config(&upstream, &authority));
    for _ in 0..2 {
        assert_eq!(fixture.text(get("/")).await, Ok((200, "HTTP/2.0 upstream.test false".to_owned())));
        let mut request = get("/");
        request.headers_mut().insert("connection", "upgrade".parse().unwrap());
        request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        let mut allowed = context();
        allowed.upgrades = true;
        let answer = fixture.pool.send(request, allowed).await.unwrap();
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        assert_eq!(body, "HTTP/1.1 upstream.test true");
    }
    assert_eq!(upstream.seen.connections(), 2);
}

#[tokio::test]
async fn an_upstream_that_can_not_prove_itself_gets_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let upstream = secured(&authority, &["h2"], None).await;

    assert_eq!(with(config(&upstream, &other)).text(get("/")).await, Err("edge.upstream_tls"));
    let mut misnamed = config(&upstream, &authority);
    misnamed.tls.server_name = None;
    assert_eq!(with(misnamed).text(get("/")).await, Err("edge.upstream_tls"));
    let mut system = config(&upstream, &authority);
    system.tls.ca = None;
    assert_eq!(with(system).text(get("/")).await, Err("edge.upstream_tls"));
    assert_eq!(upstream.seen.requests(), 0);
}

#[tokio::test]
async fn we_prove_ourselves_where_it_is_asked_for() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let upstream = secured(&authority, &["http/1.1"], Some(&clients)).await;
    let (certificate, key) = clients.sign("edge.test");

    let mut proven = config(&upstream, &authority);
    let key = PrivateKeyPem::new(key.serialize_pem());
    assert!(!format!("{key:?}").contains("PRIVATE"));
    proven.tls.client_certificate = Some(ClientCertificate { chain: certificate.pem(), key });
    assert_eq!(with(proven).text(get("/")).await.unwrap().0, 200);
    assert!(with(config(&upstream, &authority)).text(get("/")).await.is_err());
    assert_eq!(upstream.seen.requests(), 1);
}

#[tokio::test]
async fn many_requests_share_an_http_2_connection() {
    let upstream = Upstream::start(|request: Request<Incoming>| async move {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(request.version(), Version::HTTP_2);
        text(request.uri().authority().unwrap().to_string())
    })
    .await;
    let fixture = fixture(&[format!("h2c://{}", upstream.address)], r#""connections": {"max_streams": 50}"#);
    let mut sent = JoinSet::new();
    for _ in 0..100 {
        let pool = Arc::clone(&fixture.pool);
        sent.spawn(async move { text_of(&pool, get("/")).await });
    }
    for outcome in sent.join_all().await {
        assert_eq!(outcome, Ok((200, "example.com".to_owned())));
    }
    assert_eq!(upstream.seen.connections(), 2);
}
