//! A process over a database, with a real vault, events and jobs beneath it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kernel::{
    AccountId, Actor, Caller, Db, Egress, EgressConfig, ListParams, RequestContext, SYSTEM_TENANT, Tasks, TenantId, Tx,
};
use tenancy::{NewTenant, Tenancy, TenancyConfig};
use testkit::{Engine, TestDb};
use vault::{CollectionId, Document, DocumentId, Incoming, NewCollection, Vault, VaultConfig};

use knowledge::{Found, Ingest, IngestState, Knowledge, KnowledgeConfig, Mode, Search};

/// Permissions of all modules that stand in the tests.
pub(crate) fn catalogue() -> Vec<(&'static str, &'static [kernel::PermissionSpec])> {
    vec![("tenancy", tenancy::PERMISSIONS), ("vault", vault::PERMISSIONS), ("knowledge", knowledge::PERMISSIONS)]
}

/// A process over a database, with its background work.
pub(crate) struct House {
    pub(crate) db: TestDb,
    pub(crate) tenancy: Tenancy,
    pub(crate) running: Running,
    pub(crate) tenant: TenantId,
}

/// What one process has.
pub(crate) struct Running {
    pub(crate) vault: Vault,
    pub(crate) knowledge: Knowledge,
    pub(crate) tasks: Tasks,
}

pub(crate) fn tenancy_config() -> TenancyConfig {
    TenancyConfig {
        base_domain: "localhost".to_owned(),
        public_port: Some(8443),
        deletion_grace_days: 30,
        invitation_lifetime_hours: 48,
        directory_ttl_ms: 60_000,
        directory_capacity: 1000,
        domains: tenancy::DomainsConfig::default(),
    }
}

/// Models are fetched by `make models`; these tests do without, but for those that say so.
pub(crate) fn config() -> KnowledgeConfig {
    let reader = PathBuf::from(env!("CARGO_BIN_EXE_knowledge-reader"));
    let models = "/nonexistent".to_owned();
    KnowledgeConfig { models, reader: Some((reader, Vec::new())), ..KnowledgeConfig::default() }
}

pub(crate) fn run(db: &Db, tenancy: &Tenancy, data: &std::path::Path, config: KnowledgeConfig) -> Running {
    let vault_config = VaultConfig { max_document_bytes: 1 << 26, max_uploads: 64, deletion_grace_days: 30 };
    let vault = Vault::new(db.clone(), tenancy.clone(), vault_config, &data.join("vault")).unwrap();
    let rules = EgressConfig { allow: vec!["127.0.0.1".to_owned()], connect_timeout_ms: 1000 };
    let egress = Egress::new(&rules).unwrap();
    let knowledge = Knowledge::new(db.clone(), vault.clone(), config, data, &egress);
    let mut events = events::Events::new(db.clone());
    knowledge.subscribers().into_iter().for_each(|subscriber| events.subscribe(subscriber));
    let mut jobs = jobs::Jobs::new(db.clone(), jobs::JobsConfig::default());
    knowledge.handlers().into_iter().for_each(|handler| jobs.register(handler));
    let tasks = Tasks::default();
    events.start(&tasks);
    jobs.start(&tasks);
    knowledge.start(&tasks);
    Running { vault, knowledge, tasks }
}

pub(crate) async fn house(engine: Engine) -> House {
    house_with(engine, config()).await
}

pub(crate) async fn house_with(engine: Engine, config: KnowledgeConfig) -> House {
    let db = testkit::db(engine).await;
    let tenancy = Tenancy::new(db.clone(), tenancy_config(), catalogue());
    tenancy.ensure_system_tenant().await.unwrap();
    events::Events::new(db.clone()).prepare().await.unwrap();
    let new = NewTenant { slug: "acme".to_owned(), name: "Acme".to_owned(), owner_email: None };
    let tenant = tenancy.create_tenant(&Caller::system("test", SYSTEM_TENANT), new).await.unwrap().tenant.id;
    let running = run(&db, &tenancy, db.store().folder(), config);
    House { db, tenancy, running, tenant }
}

impl House {
    /// A new member with this role.
    pub(crate) async fn member(&self, role: &str) -> Caller {
        let system = Caller::system("test", self.tenant);
        let params = ListParams { filter: Some(format!("name eq \"{role}\"")), ..ListParams::default() };
        let role = self.tenancy.list_roles(&system, &params).await.unwrap().1.items.remove(0).id;
        let account: AccountId = self.db.random().id(self.db.clock().now());
        let email = format!("{account}@example.com");
        let added = async |tx: &Tx| self.tenancy.add_member(tx, &system, account, &email, "Ada", role).await;
        self.db.write(&system, added).await.unwrap();
        let grants = self.db.read(&system, async |tx: &Tx| self.tenancy.grants_of(tx, account).await).await.unwrap();
        let session = self.db.random().id(self.db.clock().now());
        let actor = Actor::Account { id: account, session, name: Arc::from("ada") };
        Caller::new(actor, self.tenant, grants.permissions, RequestContext::new("test", Duration::from_secs(120)))
    }

    pub(crate) async fn collection(&self, owner: &Caller, searchable: bool) -> CollectionId {
        let new = NewCollection { name: "Papers".to_owned(), description: None, searchable, schema: None, model: None };
        self.running.vault.create_collection(owner, new).await.unwrap().id
    }

    pub(crate) async fn upload(&self, owner: &Caller, collection: CollectionId, name: &str, text: &str) -> Document {
        self.running.vault.upload_document(owner, Some(collection), incoming(name, text)).await.unwrap()
    }

    /// The document once it is at rest.
    pub(crate) async fn settled(&self, caller: &Caller, document: DocumentId) -> Ingest {
        until(async || {
            let found = self.running.knowledge.ingest(caller, document).await.ok()?;
            matches!(found.state, IngestState::Ready | IngestState::Failed).then_some(found)
        })
        .await
    }

    /// Uploads a text and waits until the text index has it.
    pub(crate) async fn add(&self, owner: &Caller, collection: CollectionId, name: &str, text: &str) -> DocumentId {
        let document = self.upload(owner, collection, name, text).await.id;
        assert_eq!(self.settled(owner, document).await.state, IngestState::Ready);
        self.indexed(owner).await;
        document
    }

    pub(crate) async fn indexed(&self, caller: &Caller) {
        until(async || {
            let status = self.running.knowledge.status(caller).await.unwrap();
            (status.text_seq >= status.seq).then_some(())
        })
        .await;
    }

    pub(crate) async fn search(&self, caller: &Caller, query: &str, mode: Mode) -> Found {
        let search = Search { query: query.to_owned(), mode: Some(mode), ..Search::default() };
        self.running.knowledge.search(caller, &search, "test").await.unwrap()
    }

    pub(crate) async fn stop(&self) {
        assert!(self.running.tasks.stop(Duration::from_secs(20)).await);
    }
}

pub(crate) fn incoming(name: &str, text: &str) -> Incoming {
    let body = bytes::Bytes::copy_from_slice(text.as_bytes());
    Incoming {
        name: Some(name.to_owned()),
        content_type: Some("text/plain".to_owned()),
        content_disposition: None,
        content_digest: None,
        body: stream::once(async move { Ok(body) }).boxed(),
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it should have come by now")
}

/// With the models that `make models` fetched.
pub(crate) fn config_with_models() -> KnowledgeConfig {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models");
    assert!(folder.join("wordllama").is_dir(), "the embedding models are not there; run `make models`");
    KnowledgeConfig { models: folder.display().to_string(), ..config() }
}
