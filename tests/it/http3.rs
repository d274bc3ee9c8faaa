//! HTTP/3 through the front door: requests, a stream, a credential that ends, and a new process that takes over.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use h3::client::{RequestStream, SendRequest};
use hyper::body::{Buf, Bytes};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS13;
use serde_json::{Value, json};
use testkit::{Client, Engine, Server, Tenant, on_both_engines};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::chat::{provider, with_provider};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const CHAT: &str = "/api/v1/chat";
const PATIENCE: Duration = Duration::from_mins(1);

type Stream = RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;

/// A connection to `localhost`.
struct Quic {
    connection: quinn::Connection,
    send: SendRequest<h3_quinn::OpenStreams, Bytes>,
    _driver: JoinSet<()>,
}

/// Who asks.
struct Caller<'a> {
    slug: &'a str,
    secret: &'a str,
}

async fn server(engine: Engine) -> Server {
    let builder = Server::builder(BIN, engine).env("HOLDFAST__GATEWAY__HTTP3", "true");
    builder.env("HOLDFAST__EGRESS__ALLOW", "[\"127.0.0.1\"]").start().await
}

impl Quic {
    async fn to(server: &Server, address: SocketAddr) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(server.data.join("tls/ca.pem")).unwrap()).unwrap();
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let connecting = endpoint.connect_with(config, address, "localhost").unwrap();
        let connection = timeout(PATIENCE, connecting).await.unwrap().unwrap();
        let (mut driver, send) = h3::client::new(h3_quinn::Connection::new(connection.clone())).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(poll_fn(|cx| driver.poll_close(cx)).await) });
        Self { connection, send, _driver: tasks }
    }

    async fn begin(&mut self, method: &str, path: &str, caller: &Caller<'_>, body: Option<&Value>) -> Stream {
        let mut request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
        if !caller.secret.is_empty() {
            request = request.header("authorization", format!("Bearer {}", caller.secret));
            request = request.header("holdfast-tenant", caller.slug);
        }
        let request = request.header("content-type", "application/json").body(()).unwrap();
        let mut stream = timeout(PATIENCE, self.send.send_request(request)).await.unwrap().unwrap();
        if let Some(body) = body {
            stream.send_data(Bytes::from(body.to_string())).await.unwrap();
        }
        stream.finish().await.unwrap();
        stream
    }

    async fn ask(&mut self, method: &str, path: &str, caller: &Caller<'_>, body: Option<&Value>) -> (u16, String) {
        let mut stream = self.begin(method, path, caller, body).await;
        let answer = timeout(PATIENCE, stream.recv_response()).await.unwrap().unwrap();
        (answer.status().as_u16(), read(&mut stream, |_| false).await)
    }
}

/// What comes until the end, or until it is enough.
async fn read(stream: &mut Stream, enough: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    while let Some(mut piece) = timeout(PATIENCE, stream.recv_data()).await.unwrap().unwrap() {
        text.push_str(&String::from_utf8_lossy(&piece.copy_to_bytes(piece.remaining())));
        if enough(&text) {
            break;
        }
    }
    text
}

/// Asks a question over HTTP/3; the path of the answer's events.
async fn question(quic: &mut Quic, caller: &Caller<'_>, words: &str) -> String {
    let (status, made) = quic.ask("POST", &format!("{CHAT}/conversations"), caller, Some(&json!({}))).await;
    assert_eq!(status, 201, "{made}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let messages = format!("{CHAT}/conversations/{}/messages", made["id"].as_str().unwrap());
    let (status, answer) = quic.ask("POST", &messages, caller, Some(&json!({ "content": words }))).await;
    assert_eq!(status, 202, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    format!("{CHAT}/answers/{}/events", answer["id"].as_str().unwrap())
}

async fn revoke(tenant: &Tenant, key: &Client) {
    let me = key.get("/api/v1/identity/me").await.expect(200);
    let path = format!("/api/v1/identity/api_keys/{}", me["api_key_id"].as_str().unwrap());
    tenant.owner.with("if-match", "*").delete(&path).await.expect(204);
}

async fn the_api_is_there_with_its_streams_until_the_credential_ends(engine: Engine) {
    let mut tasks = JoinSet::new();
    let url = provider(&mut tasks).await;
    let server = server(engine).await;
    let tenant = server.new_tenant("quic").await;
    with_provider(&tenant.owner, &url).await;
    let key = tenant.owner.api_key("bot").await;
    let caller = Caller { slug: &tenant.slug, secret: key.credential().unwrap() };
    let mut quic = Quic::to(&server, server.https).await;

    let told = server.https().get("/openapi.json").await;
    let alt_svc = told.header("alt-svc").map(str::to_owned);
    assert_eq!(alt_svc, Some(format!("h3=\":{}\"; ma=86400", server.https.port())));
    assert_eq!(quic.ask("GET", "/api/v1/identity/me", &Caller { slug: "", secret: "" }, None).await.0, 401);
    let events = question(&mut quic, &caller, "Say it and end.").await;
    let (status, answer) = quic.ask("GET", &events, &caller, None).await;
    assert!(status == 200 && answer.contains("one ") && answer.contains("event: done"), "{answer}");

    let events = question(&mut quic, &caller, "Go on for ever.").await;
    let mut endless = quic.begin("GET", &events, &caller, None).await;
    timeout(PATIENCE, endless.recv_response()).await.unwrap().unwrap();
    read(&mut endless, |text| text.contains("three ")).await;
    revoke(&tenant, &key).await;
    let rest = read(&mut endless, |_| false).await;

    assert!(rest.contains("event: revoked"), "{rest}");
    assert_eq!(quic.ask("GET", "/api/v1/identity/me", &caller, None).await.0, 401);
}

async fn another_process_takes_over_on_the_same_port(engine: Engine) {
    let server = server(engine).await;
    let nobody = Caller { slug: "", secret: "" };
    let mut before = Quic::to(&server, server.https).await;
    assert_eq!(before.ask("GET", "/openapi.json", &nobody, None).await.0, 200);

    let data = server.data.clone();
    let upgrade = move || Command::new(BIN).arg("upgrade").arg("--data").arg(data).output().unwrap();
    let told = tokio::task::spawn_blocking(upgrade).await.unwrap();
    assert!(told.status.success(), "{}\n{}", String::from_utf8_lossy(&told.stderr), server.log_tail());
    let end = timeout(PATIENCE, before.connection.closed()).await.unwrap();
    let mut after = Quic::to(&server, server.https).await;

    assert!(matches!(&end, quinn::ConnectionError::ApplicationClosed(close) if close.error_code == 0x100_u32.into()));
    assert_eq!(after.ask("GET", "/openapi.json", &nobody, None).await.0, 200);
    let file = std::fs::read(server.data.join("holdfast.addresses.json")).unwrap();
    let pid = serde_json::from_slice::<Value>(&file).unwrap()["pid"].to_string();
    drop(Command::new("kill").args(["-KILL", &pid]).status());
}

on_both_engines!(
    the_api_is_there_with_its_streams_until_the_credential_ends,
    another_process_takes_over_on_the_same_port,
);
