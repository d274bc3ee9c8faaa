//! Pebble, Let's Encrypt's own test CA, as the referee: it connects to our answers as a CA does.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use edge_certificates::{
    AcmeAuthority, Authority, CertificateStore, Certificates, ChallengeKind, Clock, DnsError, DnsProvider, Hello,
    HttpAnswers, IssuerSettings, Managed, ManagedParts, Manager, Name, RcgenKeys, ReqwestTransport, Sealer, Settings,
    Snapshot, TransportLimits,
};
use fake_ca::CaConfig;
use rustls::{ServerConfig, crypto::aws_lc_rs, server::Acceptor, sign::SingleCertAndKey};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Child,
    task::JoinSet,
};
use tokio_rustls::LazyConfigAcceptor;

use crate::{
    servers::{free_port, listens, start},
    world::{World, run_until},
};

const EAB_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

struct Pebble {
    world: World,
    directory: String,
    root: std::path::PathBuf,
    management: u16,
    folder: tempfile::TempDir,
    _servers: [Child; 2],
    _answers: JoinSet<()>,
}

/// The wall clock: Pebble's certificates are of today.
struct Today;

impl Clock for Today {
    #[expect(clippy::disallowed_methods, reason = "Pebble has no other time")]
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::Utc::now()
    }
}

/// TXT records in Pebble's DNS.
struct ChallengeServer(u16);

impl ChallengeServer {
    async fn post(&self, path: &str, record: &str, value: &str) -> Result<(), DnsError> {
        let body = format!(r#"{{"host":"{record}.","value":"{value}"}}"#);
        let mut stream = TcpStream::connect(("127.0.0.1", self.0)).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Ok(())
    }
}

#[async_trait]
impl DnsProvider for ChallengeServer {
    async fn set_txt(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.post("/set-txt", record, value).await
    }
    async fn remove_txt(&self, record: &str, _: &str) -> Result<(), DnsError> {
        self.post("/clear-txt", record, "").await
    }
}

impl Pebble {
    async fn start(external_accounts: bool, refused_nonces: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [http, tls, dns, management, acme, pebble_management] = [(); 6].map(|()| free_port());
        let mut world = World::on(Arc::new(Today), CaConfig::default(), fake_ca::Script::default());
        world.settings =
            Settings { poll: Duration::from_millis(50), dns_propagation: Duration::ZERO, ..Settings::default() };
        let root = write_config(folder.path(), [acme, pebble_management, http, tls], external_accounts);
        let (dns_at, management_at) = (format!("127.0.0.1:{dns}"), format!("127.0.0.1:{management}"));
        let arguments = [
            "-defaultIPv6",
            "",
            "-dns01",
            &dns_at,
            "-management",
            &management_at,
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
        ];
        let challenges = start("pebble-challtestsrv", "pebble", &arguments, &[]);
        listens(management).await;
        let config = folder.path().join("pebble.json");
        let arguments = ["-strict", "-config", config.to_str().unwrap(), "-dnsserver", &dns_at];
        let environment =
            [("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", refused_nonces), ("PEBBLE_AUTHZREUSE", "0")];
        let pebble = start("pebble", "pebble", &arguments, &environment);
        listens(acme).await;
        let answers = answer(&world, folder.path(), http, tls).await;
        let directory = format!("https://localhost:{acme}/dir");
        Self { world, directory, root, management, folder, _servers: [challenges, pebble], _answers: answers }
    }

    fn manager(&self, challenge: ChallengeKind, external_account: bool) -> Manager {
        let mut issuer = IssuerSettings::new("pebble", self.directory.clone());
        if external_account {
            issuer.eab_key_id = Some("kid-1".into());
            issuer.eab_key = Some(EAB_KEY.to_owned().into());
        }
        let transport = Arc::new(ReqwestTransport::new(TransportLimits::default(), Some(&self.root)).unwrap());
        let world = &self.world;
        let around = (world.dyn_store(), Arc::clone(&world.sealer) as Arc<dyn Sealer>, Arc::clone(&world.clock));
        let whole = Duration::from_secs(20);
        let authority = AcmeAuthority::new(issuer.clone(), transport, whole, around, "test".into()).unwrap();
        let settings = Settings { issuers: vec![issuer], challenges: vec![challenge], ..world.settings.clone() };
        let of = World {
            clock: Arc::clone(&world.clock),
            store: Arc::clone(&world.store),
            sealer: Arc::clone(&world.sealer),
            ca: Arc::clone(&world.ca),
            settings,
        };
        let authorities = vec![("pebble", Arc::new(authority) as Arc<dyn Authority>)];
        let dns = Arc::new(ChallengeServer(self.management));
        of.manager("one", world.dyn_store(), authorities, Arc::new(RcgenKeys), Some(dns))
    }

    /// Obtains certificates for all names, and looks at what is served for them.
    async fn obtains(&self, manager: &Manager, names: &[&str]) {
        let mut wanted = Vec::new();
        for name in names {
            wanted.push(self.world.want(name, "one").await);
        }
        let held = async || {
            let mut all = true;
            for name in &wanted {
                all &= self.world.record(name).await.progress.held.is_some();
            }
            all
        };
        let done = run_until(manager, Duration::from_secs(60), held).await;
        for name in &wanted {
            let told = self.world.store.timeline(name, 9).await.unwrap();
            assert!(done, "{name}: {told:#?}");
            assert_eq!(self.world.store.http_answer("any").await.unwrap(), None);
        }
        let managed = managed(&self.world, self.folder.path());
        for name in wanted {
            let host = name.as_str().replace('*', "any");
            assert!(managed.certificate(&Name::parse(&host).unwrap()).await.is_some(), "{host}");
        }
    }
}

/// Pebble's configuration, and a certificate for its HTTPS; answers the root's path.
fn write_config(folder: &Path, ports: [u16; 4], external_accounts: bool) -> std::path::PathBuf {
    let [acme, management, http, tls] = ports;
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (root, private) = (folder.join("pebble-root.pem"), folder.join("pebble-key.pem"));
    std::fs::write(&root, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let config = serde_json::json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{acme}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": root,
        "privateKey": private,
        "httpPort": http,
        "tlsPort": tls,
        "externalAccountBindingRequired": external_accounts,
        "externalAccountMACKeys": { "kid-1": EAB_KEY },
    }});
    std::fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
    root
}

fn managed(world: &World, folder: &Path) -> Arc<Managed> {
    Arc::new(Managed::new(ManagedParts {
        store: world.dyn_store(),
        sealer: Arc::clone(&world.sealer) as Arc<dyn Sealer>,
        clock: Arc::clone(&world.clock),
        snapshot: Arc::new(Snapshot::open(&folder.join("snapshot")).unwrap()),
        on_demand: None,
        settings: world.settings.clone(),
    }))
}

/// Answers challenges on the two ports, as the gateway does on 80 and 443.
async fn answer(world: &World, folder: &Path, http: u16, tls: u16) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let answers = HttpAnswers::new(world.dyn_store(), Duration::from_secs(2), 64);
    let listener = TcpListener::bind(("127.0.0.1", http)).await.unwrap();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let body = answers.answer(path).await.unwrap_or_default();
            let answer =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let written = stream.write_all(answer.as_bytes()).await;
            assert!(written.is_ok());
        }
    });
    let certificates = Arc::new(Certificates::new(None, Some(managed(world, folder))));
    let listener = TcpListener::bind(("127.0.0.1", tls)).await.unwrap();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handshake = shake_hands(&certificates, stream).await;
            assert!(handshake.is_some(), "the handshake of a challenge failed");
        }
    });
    tasks
}

/// What the gateway will do: choose by server name and protocols, and speak only `acme-tls/1` in a challenge.
async fn shake_hands(certificates: &Certificates, stream: TcpStream) -> Option<()> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
    let (key, challenge) = {
        let client = start.client_hello();
        let alpn = client.alpn().into_iter().flatten().collect();
        let hello = Hello { server_name: client.server_name(), alpn };
        (certificates.certificate(&hello).await?, hello.is_challenge())
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = if challenge { vec![b"acme-tls/1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    let mut stream = start.into_stream(Arc::new(config)).await.ok()?;
    let _closed = stream.shutdown().await.is_ok();
    Some(())
}

#[tokio::test]
async fn pebble_validates_by_http_01() {
    let pebble = Pebble::start(false, "0").await;
    let manager = pebble.manager(ChallengeKind::Http01, false);
    pebble.obtains(&manager, &["a.example.com", "b.example.org"]).await;
}

#[tokio::test]
async fn pebble_validates_by_tls_alpn_01() {
    let pebble = Pebble::start(false, "0").await;
    let manager = pebble.manager(ChallengeKind::TlsAlpn01, false);
    pebble.obtains(&manager, &["a.example.com", "b.example.org"]).await;
}

#[tokio::test]
async fn pebble_validates_by_dns_01_also_a_wildcard() {
    let pebble = Pebble::start(false, "0").await;
    let manager = pebble.manager(ChallengeKind::Dns01, false);
    pebble.obtains(&manager, &["a.example.com", "*.example.org"]).await;
}

#[tokio::test]
async fn pebble_binds_an_external_account_and_half_of_the_nonces_may_be_refused() {
    let pebble = Pebble::start(true, "50").await;
    let manager = pebble.manager(ChallengeKind::Http01, true);
    pebble.obtains(&manager, &["a.example.com"]).await;

    // A second process with an empty memory finds the account in the store.
    let again = pebble.manager(ChallengeKind::Http01, true);
    pebble.obtains(&again, &["c.example.com"]).await;
}
