//! A running server as its clients see it: the addresses, the clients, and tenants of a test's own.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::engine::{Engine, Store};
use crate::launch::{ADDRESSES, LIMIT, Launch, OPERATOR, PASSWORD};
use crate::run::{self, Life, signal, tail, unique};
use crate::{Client, must};

/// A running server as a client sees it.
#[derive(Clone, Debug)]
pub struct Front {
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub ops: SocketAddr,
    /// The one-time link, when no operator was set up.
    pub setup_url: Option<String>,
    /// The folder given as `--data`.
    pub data: PathBuf,
    /// What the server printed.
    pub log: PathBuf,
}

/// A tenant of a test's own, with its owner signed in.
pub struct Tenant {
    pub id: String,
    pub slug: String,
    /// A client of this tenant, signed in as its owner.
    pub owner: Client,
    pub owner_email: String,
}

impl Front {
    /// The server that all tests of this run share on `engine`; make a tenant of your own in it.
    /// `binary` is `env!("CARGO_BIN_EXE_holdfast")`.
    pub async fn shared(binary: &str, engine: Engine) -> Self {
        let run = run::current();
        // Another binary, such as the stand-in of this crate's own tests, is another server.
        let mut hasher = DefaultHasher::new();
        binary.hash(&mut hasher);
        let name = format!("{}-{:x}", engine.name(), hasher.finish());
        let home = run.dir.join(format!("shared-{name}"));
        let lock = run.lock(&format!("front-{name}"));
        let pid = home.join("pid");
        let mut starter = None;
        if !home.exists() {
            must(fs::create_dir_all(home.join("data")), "making the shared server's folder");
            // Kept beyond this test process: the run's supervisor removes it all.
            let store = std::mem::ManuallyDrop::new(Store::empty(engine));
            let child = starter.insert(Launch::new(binary, &home, store.url()).spawn(Life::Run));
            must(fs::write(&pid, child.id().to_string()), "noting the shared server's process");
        }
        let mut ended = || match &mut starter {
            Some(child) => must(child.try_wait(), "looking at the server").is_some(),
            None => !fs::read_to_string(&pid).is_ok_and(|pid| signal(pid.parse().unwrap_or(u32::MAX), "0")),
        };
        let front = Self::found(&home.join("data"), &home.join("server.log"), &mut ended).await;
        drop(lock);
        front
    }

    /// A client over HTTP, as nobody, in the tenant `system`.
    pub fn client(&self) -> Client {
        Client::new(format!("http://{}", self.http), None)
    }

    /// The same over HTTPS at `localhost`, trusting the data folder's CA (h2 where both want it).
    pub fn https(&self) -> Client {
        let ca = must(fs::read(self.data.join("tls/ca.pem")), "reading the local CA");
        Client::new(format!("https://localhost:{}", self.https.port()), Some(&ca))
    }

    /// A client of the operators' listener: `/healthz`, `/readyz`, `/metrics`.
    pub fn ops(&self) -> Client {
        Client::new(format!("http://{}", self.ops), None)
    }

    /// A client signed in as the first operator.
    pub async fn operator(&self) -> Client {
        self.client().sign_in(OPERATOR, PASSWORD).await
    }

    /// A new tenant with an owner who accepted the invitation and signed in. `name` starts its slug (letters).
    pub async fn new_tenant(&self, name: &str) -> Tenant {
        let slug = unique(&format!("{name}-"));
        let owner_email = format!("owner@{slug}.test");
        let new = json!({ "slug": slug, "name": name, "owner_email": owner_email });
        let created = self.operator().await.post("/api/v1/tenancy/tenants", new).await.expect(201);

        let at_tenant = self.client().tenant(&slug);
        accept(&at_tenant, &created["invitation"], &owner_email).await;
        let owner = at_tenant.sign_in(&owner_email, PASSWORD).await;
        let id = created["tenant"]["id"].as_str().unwrap_or_default().to_owned();
        Tenant { id, slug, owner, owner_email }
    }

    /// What the server printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of that.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Waits until the server of `data` listens; `ended` tells when that is in vain.
    pub(crate) async fn found(data: &Path, log: &Path, ended: &mut dyn FnMut() -> bool) -> Self {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Ok(text) = fs::read(data.join(ADDRESSES)) {
                let written: Value = must(serde_json::from_slice(&text), ADDRESSES);
                return Self::at(&written, data, log);
            }
            assert!(!ended(), "holdfast ended before it listened:\n{}", tail(log));
            assert!(Instant::now() < deadline, "holdfast did not listen within {LIMIT:?}:\n{}", tail(log));
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    fn at(written: &Value, data: &Path, log: &Path) -> Self {
        let address = |name: &str| must(written[name].as_str().unwrap_or_default().parse(), name);
        Self {
            http: address("http"),
            https: address("https"),
            ops: address("ops"),
            setup_url: written["setup_url"].as_str().map(str::to_owned),
            data: data.to_path_buf(),
            log: log.to_path_buf(),
        }
    }
}

impl Tenant {
    /// Invites `role` (a built-in one's name), accepts, and returns the new member signed in.
    pub async fn member(&self, role: &str) -> Client {
        let roles = self.owner.get("/api/v1/tenancy/roles?limit=200").await.expect(200);
        let known = roles["items"].as_array().into_iter().flatten();
        let role_id = known.filter(|it| it["name"] == role).map(|it| it["id"].clone()).next();
        let email = format!("{}@{}.test", unique(role), self.slug);
        let invitation = json!({ "email": email, "role_id": role_id });
        let created = self.owner.post("/api/v1/tenancy/invitations", invitation).await.expect(201);

        let visitor = self.owner.anonymous();
        accept(&visitor, &created, &email).await;
        visitor.sign_in(&email, PASSWORD).await
    }
}

async fn accept(client: &Client, created: &Value, email: &str) {
    let acceptance = json!({ "token": created["token"], "email": email, "password": PASSWORD });
    client.post("/api/v1/identity/invitations/accept", acceptance).await.expect(201);
}
