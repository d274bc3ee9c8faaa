//! Automatic certificates through the real binary, from Pebble, Let's Encrypt's own test CA: obtained before the first
//! visitor, shown with their steps, and served when the database is gone.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use testkit::{Engine, Postgres, Server, on_both_engines};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const NAME: &str = "app.holdfast.test";
const PATIENCE: Duration = Duration::from_mins(1);

fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks until it holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within the test's patience: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A program that ends with the test.
struct Running(Child);

impl Running {
    fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        Self(started.unwrap_or_else(|error| panic!("{program} (Debian package pebble) does not start: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A CA that looks at these two ports of this machine for every name, as a CA looks at 80 and 443.
struct Pebble {
    directory: String,
    management: String,
    own_root: PathBuf,
    /// The name server that says that every name is this machine, and where it is told more.
    resolver: String,
    records: String,
    _programs: [Running; 2],
}

impl Pebble {
    async fn start(folder: &Path, (http, https): (u16, u16)) -> Self {
        let [acme, management, dns, challenges] = [(); 4].map(|()| free_port());
        let own_root = write_config(folder, [acme, management, http, https]);
        let (dns_at, challenges_at) = (format!("127.0.0.1:{dns}"), format!("127.0.0.1:{challenges}"));
        let arguments = ["-defaultIPv6", "", "-dns01", &dns_at, "-management", &challenges_at];
        let arguments = [&arguments[..], &["-http01", "", "-https01", "", "-tlsalpn01", ""]].concat();
        let names = Running::start("pebble-challtestsrv", &arguments, &[]);
        let config = folder.join("pebble.json");
        let arguments = ["-strict", "-config", config.to_str().unwrap(), "-dnsserver", &dns_at];
        let pebble = Running::start("pebble", &arguments, &[("PEBBLE_VA_NOSLEEP", "1")]);
        for port in [challenges, acme, management] {
            eventually("Pebble listens", async || TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        }
        let (directory, management) =
            (format!("https://localhost:{acme}/dir"), format!("https://localhost:{management}"));
        Self {
            directory,
            management,
            own_root,
            resolver: dns_at,
            records: format!("http://{challenges_at}"),
            _programs: [names, pebble],
        }
    }

    fn issuers(&self) -> String {
        format!("[{{id=\"pebble\",directory=\"{}\",root=\"{}\"}}]", self.directory, self.own_root.display())
    }

    async fn set_txt(&self, name: &str, value: &str) {
        let record = json!({ "host": format!("{name}."), "value": value });
        let client = Client::builder().no_proxy().build().unwrap();
        let told = client.post(format!("{}/set-txt", self.records)).json(&record).send().await.unwrap();
        assert!(told.status().is_success());
    }

    /// A visitor who trusts this CA alone and finds `name` on `port` of this machine.
    async fn visitor(&self, name: &str, port: u16) -> Client {
        let own = Certificate::from_pem(&std::fs::read(&self.own_root).unwrap()).unwrap();
        let asking = Client::builder().no_proxy().tls_certs_only([own]).build().unwrap();
        let root = asking.get(format!("{}/roots/0", self.management)).send().await.unwrap().bytes().await.unwrap();
        let root = Certificate::from_pem(&root).unwrap();
        let here = SocketAddr::from(([127, 0, 0, 1], port));
        let builder = Client::builder().no_proxy().tls_certs_only([root]).resolve(name, here);
        builder.pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap()
    }
}

fn write_config(folder: &Path, [acme, management, http, https]: [u16; 4]) -> PathBuf {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (root, private) = (folder.join("pebble-root.pem"), folder.join("pebble-key.pem"));
    std::fs::write(&root, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let config = json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{acme}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": root,
        "privateKey": private,
        "httpPort": http,
        "tlsPort": https,
        "externalAccountBindingRequired": false,
    }});
    std::fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
    root
}

/// The status and the code of what a visitor reads; none if there is no handshake.
async fn visit(visitor: &Client, port: u16) -> Option<(u16, Value)> {
    let answer = visitor.get(format!("https://{NAME}:{port}/openapi.json")).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json::<Value>().await.unwrap()["code"].clone()))
}

/// The name has a certificate before anybody visits it, and the API shows how it came. Then the server is killed and
/// started again while its database is gone.
async fn obtained_and_served_without_a_database(engine: Engine, challenge: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (http, https) = (free_port(), free_port());
    let pebble = Pebble::start(folder.path(), (http, https)).await;
    let mut postgres = (engine == Engine::Postgres).then(Postgres::start);
    let mut builder = Server::builder(BIN, Engine::Sqlite)
        .at(http, https)
        .env("HOLDFAST__EDGE__NAMES", &format!("[\"{NAME}\"]"))
        .env("HOLDFAST__EDGE__CERTIFICATES__ISSUERS", &pebble.issuers())
        .env("HOLDFAST__EDGE__CERTIFICATES__CHALLENGES", &format!("[\"{challenge}\"]"));
    let database = postgres.as_ref().map(Postgres::database);
    if let Some(database) = &database {
        builder = builder.database(database.url());
    }
    let mut server = builder.start().await;
    let operator = server.operator().await;

    let path = format!("/api/v1/edge/certificates/{NAME}");
    eventually("the certificate", async || operator.get(&path).await.expect(200)["status"] == "issued").await;

    let shown = operator.get(&path).await.expect(200);
    assert_eq!((&shown["issuer"], &shown["failure"]), (&json!("pebble"), &Value::Null), "{shown}");
    let steps = operator.get(&format!("{path}/steps")).await.expect(200);
    let told: Vec<_> = steps["items"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!((told.first(), told.last()), (Some(&"issued"), Some(&"ordering")), "{steps}");
    let listed = operator.graphql("{ certificates { edges { node { name status } } } }", json!({})).await.expect(200);
    assert_eq!(listed["data"]["certificates"]["edges"][0]["node"], json!({ "name": NAME, "status": "ISSUED" }));
    let visitor = pebble.visitor(NAME, https).await;
    assert_eq!(visit(&visitor, https).await.unwrap().0, 200);

    server.kill9();
    let file = PathBuf::from(server.database_url().trim_start_matches("sqlite:"));
    let aside = file.with_extension("aside");
    match &mut postgres {
        Some(postgres) => postgres.stop("INT"),
        None => std::fs::rename(&file, &aside).and_then(|()| std::fs::create_dir(&file)).unwrap(),
    }
    server.start_again();
    let starting = json!("edge.starting");
    eventually("the held certificate", async || visit(&visitor, https).await == Some((503, starting.clone()))).await;

    match &mut postgres {
        Some(postgres) => postgres.resume(),
        None => std::fs::remove_dir(&file).and_then(|()| std::fs::rename(&aside, &file)).unwrap(),
    }
    server.ready().await;
    assert_eq!(visit(&visitor, https).await.unwrap().0, 200);
}

/// From the claim to the padlock: nobody but the tenant does anything.
async fn a_tenant_s_domain_is_served_with_its_own_certificate(engine: Engine) {
    const SHOP: &str = "shop.customer.test";
    let folder = tempfile::tempdir().unwrap();
    let (http, https) = (free_port(), free_port());
    let pebble = Pebble::start(folder.path(), (http, https)).await;
    let builder = Server::builder(BIN, engine).at(http, https);
    let server = builder
        .env("HOLDFAST__EDGE__CERTIFICATES__ISSUERS", &pebble.issuers())
        .env("HOLDFAST__TENANCY__DOMAINS__RESOLVERS", &format!("[\"{}\"]", pebble.resolver))
        .env("HOLDFAST__TENANCY__DOMAINS__TARGETS", "[\"127.0.0.1\"]")
        .start()
        .await;
    let owner = server.new_tenant("acme").await.owner;

    let claimed = owner.post("/api/v1/tenancy/domains", json!({ "name": SHOP })).await.expect(201);
    let proof = &claimed["records"][0];
    pebble.set_txt(proof["name"].as_str().unwrap(), proof["value"].as_str().unwrap()).await;
    let path = format!("/api/v1/tenancy/domains/{}", claimed["id"].as_str().unwrap());
    let shown = async || owner.get(&path).await.expect(200)["certificate"]["status"].clone();
    eventually("the certificate", async || shown().await == "issued").await;

    let visitor = pebble.visitor(SHOP, https).await;
    let answer = visitor.get(format!("https://{SHOP}:{https}/api/v1/identity/me")).send().await.unwrap();
    assert_eq!(answer.status(), 401, "it is the tenant's host, and the visitor is nobody there");
    let steps = owner.get(&format!("{path}/timeline")).await.expect(200).to_string();
    assert!(steps.contains("issued") && steps.contains("verified"), "{steps}");

    let version = owner.get(&path).await.expect(200)["version"].clone();
    owner.with("if-match", &format!("\"{version}\"")).delete(&path).await.expect(204);
    eventually("the end", async || visitor.get(format!("https://{SHOP}:{https}/")).send().await.is_err()).await;
}

on_both_engines!(a_tenant_s_domain_is_served_with_its_own_certificate);

#[tokio::test]
async fn tls_alpn_01_on_sqlite_and_served_without_a_database() {
    obtained_and_served_without_a_database(Engine::Sqlite, "tls-alpn-01").await;
}

#[tokio::test]
async fn http_01_on_postgres_and_served_without_a_database() {
    obtained_and_served_without_a_database(Engine::Postgres, "http-01").await;
}

#[tokio::test]
async fn certificates_are_their_tenants_own_and_renewal_needs_an_issuer() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let server = Server::builder(BIN, engine).env("HOLDFAST__EDGE__NAMES", "[\"app.holdfast.test\"]").start().await;
        let operator = server.operator().await;
        let path = format!("/api/v1/edge/certificates/{NAME}");
        assert_eq!(operator.get(&path).await.expect(200)["status"], "pending");
        operator.post(&format!("{path}/renew"), json!({})).await.problem(409, "edge.no_issuer");
        operator.get("/api/v1/edge/certificates/other.holdfast.test").await.problem(404, "kernel.not_found");
        operator.get("/api/v1/edge/certificates/not%20a%20name").await.problem(404, "kernel.not_found");

        let owner = server.new_tenant("acme").await.owner;
        assert_eq!(owner.get("/api/v1/edge/certificates").await.expect(200)["items"], json!([]));
        owner.get(&path).await.problem(404, "kernel.not_found");
        owner.get(&format!("{path}/steps")).await.problem(404, "kernel.not_found");
        owner.post(&format!("{path}/renew"), json!({})).await.problem(409, "edge.no_issuer");
        server.client().get(&path).await.problem(401, "kernel.unauthenticated");
    }
}
