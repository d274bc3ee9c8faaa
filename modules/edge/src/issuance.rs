//! What obtains and serves certificates, put together from the settings.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edge_certificates::{
    AcmeAuthority, Authority, CertificateStore, Certificates, Clock, DnsProvider, HttpAnswers, Managed, ManagedParts,
    Manager, ManagerParts, Name, OnDemand, RcgenKeys, ReqwestTransport, Rfc2136, Sealer, Settings, Snapshot,
    StaticCertificates, Syncer, TransportLimits, WebhookDns,
};
use kernel::{Random, RootKey, Tasks};
use tokio_util::sync::CancellationToken;

use crate::certificates::CertificateRows;
use crate::config::{DnsConfig, EdgeConfig};
use crate::error::EdgeConfigError;
use crate::ports::{Chance, RootSealer, Wall};

/// How often certificate files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(5);
/// One call of a DNS webhook, all in all.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything about certificates but the faces.
pub(crate) struct Issuance {
    pub(crate) rows: CertificateRows,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) answers: Arc<HttpAnswers>,
    /// Orders and renews; none without issuers.
    pub(crate) manager: Option<Arc<Manager>>,
    /// The installation's own names.
    pub(crate) names: Vec<Name>,
    files: Option<Arc<StaticCertificates>>,
    managed: Arc<Managed>,
    snapshot: Arc<Snapshot>,
    poll: Duration,
}

impl Issuance {
    /// Puts it together; nothing runs and nobody is asked yet.
    pub(crate) fn open(
        config: &EdgeConfig,
        data: &Path,
        keys: &RootKey,
        (clock, random): (kernel::Clock, Random),
    ) -> Result<Self, EdgeConfigError> {
        let names = config.names.iter().map(|name| Name::parse(name)).collect::<Result<Vec<_>, _>>()?;
        let settings = &config.certificates;
        let files = match config.certificate_files.as_slice() {
            [] => None,
            files => Some(Arc::new(StaticCertificates::open(files.to_vec())?)),
        };
        let rows = CertificateRows::default();
        let ports = Ports {
            store: Arc::new(rows.clone()),
            sealer: Arc::new(RootSealer::new(keys, random.clone())),
            clock: Arc::new(Wall(clock)),
            random,
        };
        let manager = manager(config, &ports)?.map(Arc::new);
        let snapshot = Arc::new(Snapshot::open(&data.join("certificates"))?);
        let managed = Arc::new(Managed::new(ManagedParts {
            store: Arc::clone(&ports.store),
            sealer: ports.sealer,
            clock: ports.clock,
            snapshot: Arc::clone(&snapshot),
            on_demand: manager.clone().map(OnDemand::new),
            settings: settings.clone(),
        }));
        let certificates = Arc::new(Certificates::new(files.clone(), Some(Arc::clone(&managed))));
        let answers = Arc::new(HttpAnswers::new(ports.store, settings.store_timeout, settings.lookups));
        Ok(Self { rows, certificates, answers, manager, names, files, managed, snapshot, poll: settings.poll })
    }

    /// Orders, renews, keeps the snapshot in step, and looks at the files.
    pub(crate) fn start(&self, tasks: &Tasks) {
        let stop = CancellationToken::new();
        let (told, all) = (stop.clone(), tasks.clone());
        tasks.spawn(async move {
            all.stopping().await;
            told.cancel();
        });
        if let Some(manager) = self.manager.clone() {
            let stop = stop.clone();
            tasks.spawn(async move { manager.run(stop).await });
        }
        if let Some(files) = self.files.clone() {
            tasks.spawn(files.watch(LOOK_AT_FILES, stop.clone()));
        }
        let store: Arc<dyn CertificateStore> = Arc::new(self.rows.clone());
        let syncer = Syncer::new(store, Arc::clone(&self.snapshot), Arc::clone(&self.managed));
        let (poll, manager) = (self.poll, self.manager.clone());
        tasks.spawn(async move {
            let changed = || async {
                match &manager {
                    Some(manager) => manager.changed().await,
                    None => std::future::pending().await,
                }
            };
            syncer.run(poll, changed, stop).await;
        });
    }

    /// Reads the certificate files again.
    pub(crate) fn reload(&self) -> Result<(), EdgeConfigError> {
        Ok(self.files.as_ref().map_or(Ok(()), |files| files.reload())?)
    }

    /// Whether certificates of an earlier time are on this machine.
    pub(crate) fn holds_any(&self) -> bool {
        self.files.is_some() || self.snapshot.cursor() > 0
    }
}

/// What several parts share.
struct Ports {
    store: Arc<dyn CertificateStore>,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
    random: Random,
}

fn manager(config: &EdgeConfig, ports: &Ports) -> Result<Option<Manager>, EdgeConfigError> {
    let settings = &config.certificates;
    if settings.issuers.is_empty() {
        return Ok(None);
    }
    let mark: [u8; 8] = ports.random.bytes();
    let holder = format!("{}-{}", std::process::id(), hex::encode(mark));
    Ok(Some(Manager::new(ManagerParts {
        store: Arc::clone(&ports.store),
        sealer: Arc::clone(&ports.sealer),
        clock: Arc::clone(&ports.clock),
        keys: Arc::new(RcgenKeys),
        dns: dns(&config.dns, ports)?,
        authorities: authorities(settings, ports, &holder)?,
        settings: settings.clone(),
        holder,
    })))
}

fn authorities(
    settings: &Settings,
    ports: &Ports,
    holder: &str,
) -> Result<HashMap<String, Arc<dyn Authority>>, EdgeConfigError> {
    let mut ids = HashSet::new();
    let mut authorities: HashMap<String, Arc<dyn Authority>> = HashMap::new();
    for issuer in &settings.issuers {
        if !ids.insert(issuer.id.as_str()) {
            return Err(EdgeConfigError::IssuerTwice(issuer.id.clone()));
        }
        let limits = TransportLimits { whole: settings.request_timeout, ..TransportLimits::default() };
        let transport = Arc::new(ReqwestTransport::new(limits, issuer.root.as_deref())?);
        let parts = (Arc::clone(&ports.store), Arc::clone(&ports.sealer), Arc::clone(&ports.clock));
        let whole = settings.request_timeout;
        let authority = AcmeAuthority::new(issuer.clone(), transport, whole, parts, holder.to_owned())?;
        authorities.insert(issuer.id.clone(), Arc::new(authority));
    }
    Ok(authorities)
}

fn dns(config: &DnsConfig, ports: &Ports) -> Result<Option<Arc<dyn DnsProvider>>, EdgeConfigError> {
    Ok(match config {
        DnsConfig::None => None,
        DnsConfig::Rfc2136(settings) => {
            let chance = Arc::new(Chance(ports.random.clone()));
            Some(Arc::new(Rfc2136::new(settings, Arc::clone(&ports.clock), chance)?))
        }
        DnsConfig::Webhook(settings) => {
            let client = reqwest::Client::builder()
                .timeout(WEBHOOK_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent("holdfast-edge")
                .build();
            let client = client.map_err(|error| EdgeConfigError::Client(error.to_string()))?;
            Some(Arc::new(WebhookDns::new(client, settings.url.clone(), settings.token.clone())))
        }
    })
}
