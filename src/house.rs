//! The house: every module, wired, in one written list.

use std::sync::Arc;

use kernel::{Clock, Db, KeyError, PermissionSpec, Problem, Random, RootKey, Tasks};
use tenancy::TenancyConfig;

use crate::commands::Failure;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::domain_certificates::EdgeCertificates;
use crate::evidence::Evidence;
use crate::maintenance;
use crate::overview::{self, Overview};
use crate::traffic::Traffic;

/// All modules. Cheap to clone.
#[derive(Clone)]
pub struct House {
    pub db: Db,
    pub events: events::Events,
    pub jobs: jobs::Jobs,
    pub audit: audit::Audit,
    pub tenancy: tenancy::Tenancy,
    pub edge: edge::Edge,
    pub identity: identity::Identity,
    pub vault: vault::Vault,
    pub knowledge: knowledge::Knowledge,
    pub chat: chat::Chat,
    pub overview: Overview,
    pub traffic: Arc<Traffic>,
}

/// Permissions of all modules: what roles and keys can hold.
pub fn catalogue() -> Vec<(&'static str, &'static [PermissionSpec])> {
    vec![
        ("tenancy", tenancy::PERMISSIONS),
        ("edge", edge::PERMISSIONS),
        ("identity", identity::PERMISSIONS),
        ("vault", vault::PERMISSIONS),
        ("knowledge", knowledge::PERMISSIONS),
        ("audit", audit::PERMISSIONS),
        ("events", events::PERMISSIONS),
        ("jobs", jobs::PERMISSIONS),
        ("chat", chat::PERMISSIONS),
        ("system", overview::PERMISSIONS),
    ]
}

impl House {
    /// Wires the modules over an open database. Nothing runs yet.
    ///
    /// # Errors
    /// A setting of a module that can't be used.
    pub fn build(db: Db, edge: edge::Edge, config: &Config, https_port: u16) -> Result<Self, Failure> {
        edge.attach(&db);
        let audit = audit::Audit::new(db.clone());
        let settings =
            TenancyConfig { public_port: config.tenancy.public_port.or(Some(https_port)), ..config.tenancy.clone() };
        let tenancy = tenancy::Tenancy::new(db.clone(), settings, catalogue());
        tenancy.show_certificates(Arc::new(EdgeCertificates(edge.clone())));
        let identity = identity::Identity::new(db.clone(), tenancy.clone(), config.identity.clone())?;
        let blobs = config.data().join("vault").join("blobs");
        let vault = vault::Vault::new(db.clone(), tenancy.clone(), config.vault.clone(), &blobs)?;

        let egress = kernel::Egress::new(&config.egress)?;
        let settings = config.knowledge.clone();
        let knowledge = knowledge::Knowledge::new(db.clone(), vault.clone(), settings, config.data(), &egress);

        let evidence = Arc::new(Evidence::new(knowledge.clone()));
        let chat = chat::Chat::new(db.clone(), egress, config.chat.clone(), Some(evidence.clone()), Some(evidence));
        let streams = chat.clone();
        vault.on_change(Arc::new(move |tenant| streams.changed(tenant)));

        let mut jobs = jobs::Jobs::new(db.clone(), config.jobs.clone());
        let handlers = [
            vec![audit.verify_job()],
            tenancy.handlers(),
            identity.handlers(),
            vault.handlers(),
            knowledge.handlers(),
            chat.handlers(),
        ];
        handlers.into_iter().flatten().for_each(|handler| jobs.register(handler));
        jobs.register(Arc::new(maintenance::Prune::new(db.clone())));

        let mut events = events::Events::new(db.clone());
        let subscribers = [
            tenancy.subscribers(),
            edge.subscribers(),
            identity.subscribers(),
            vault.subscribers(),
            knowledge.subscribers(),
            chat.subscribers(),
            vec![Arc::new(maintenance::Farewell) as Arc<_>],
        ];
        subscribers.into_iter().flatten().for_each(|subscriber| events.subscribe(subscriber));

        let traffic = Arc::new(Traffic::default());
        let overview = Overview::new(db.clone(), jobs.clone(), identity.clone(), Arc::clone(&traffic));
        Ok(Self { db, events, jobs, audit, tenancy, edge, identity, vault, knowledge, chat, overview, traffic })
    }

    /// Starts the background work of all modules.
    pub fn start(&self, tasks: &Tasks) {
        self.db.invalidations().start(tasks);
        self.audit.start(tasks);
        self.events.start(tasks);
        self.jobs.start(tasks);
        self.edge.start(tasks);
        self.tenancy.start(tasks);
        self.identity.start(tasks);
        self.vault.start(tasks);
        self.knowledge.start(tasks);
        self.chat.start(tasks);
    }

    /// Makes what must exist before the first request: the system tenant, and unattended the first operator.
    ///
    /// # Errors
    /// The database does not answer, or the operator's password breaks the rules.
    pub async fn furnish(&self) -> Result<(), Problem> {
        self.events.prepare().await?;
        self.tenancy.ensure_system_tenant().await?;
        self.edge.prepare().await?;
        let email = std::env::var("HOLDFAST_SETUP_EMAIL");
        let password = std::env::var("HOLDFAST_SETUP_PASSWORD");
        match (email, password) {
            (Ok(email), Ok(password)) => Ok(self.identity.setup_unattended(&email, &password.into()).await?),
            _ => Ok(()),
        }
    }
}

/// An edge that serves nothing and orders nothing, for commands that need a house without listeners.
///
/// # Errors
/// The folder can't be written.
pub fn idle_edge(config: &Config, db: &Db) -> Result<edge::Edge, Failure> {
    let mut settings = config.edge.clone();
    settings.names.clear();
    settings.certificate_files.clear();
    settings.certificates.issuers.clear();
    Ok(edge::Edge::open(&settings, config.data(), db.keys(), db.clock().clone(), db.random().clone())?)
}

/// The installation's root key: from the environment, or the data folder's file.
///
/// # Errors
/// A malformed key, or a file that can't be used.
pub fn root_key(data: &DataFolder, random: &Random) -> Result<RootKey, KeyError> {
    match std::env::var("HOLDFAST_ROOT_KEY") {
        Ok(text) => RootKey::from_hex(&text),
        Err(_) => RootKey::from_file(&data.path().join("root.key"), random),
    }
}

/// Opens the database of these settings.
///
/// # Errors
/// A wrong address, or a database that does not open.
pub async fn open_database(config: &Config, data: &DataFolder) -> Result<Db, Failure> {
    let (clock, random) = (Clock::default(), Random::default());
    let keys = root_key(data, &random)?;
    Ok(Db::open(&config.database, data.path(), keys, clock, random).await?)
}
