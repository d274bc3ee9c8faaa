//! A store, a CA and a manager over them, for tests.

use std::{collections::HashMap, sync::Arc, time::Duration};

use edge_certificates::{
    AcmeAuthority, Authority, CertificateStore, Clock, DnsProvider, IssuerSettings, KeyMaker, Manager, ManagerParts,
    Name, RcgenKeys, Record, Sealer, Settings,
};
use fake_ca::{
    Ca, CaConfig, InProcess, LogicalCa, MemoryStore, PausedClock, Script, SeededRandom, SimKeys, StoreValidator,
    TestSealer, Validator, WireCa,
};
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) sealer: Arc<TestSealer>,
    pub(crate) ca: Arc<Ca>,
    pub(crate) settings: Settings,
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl World {
    /// A world on tokio's clock.
    pub(crate) fn new(config: CaConfig) -> Self {
        Self::on(Arc::new(PausedClock::default()), config, Script::default())
    }

    pub(crate) fn on(clock: Arc<dyn Clock>, config: CaConfig, script: Script) -> Self {
        let mut issuer = IssuerSettings::new("fake", "https://ca.test/directory");
        issuer.limits = config.limits.clone();
        let settings = Settings { issuers: vec![issuer], ..Settings::default() };
        let ca = Arc::new(Ca::new(config, script, Arc::clone(&clock)));
        Self { clock, store: Arc::default(), sealer: Arc::new(TestSealer::new(1)), ca, settings }
    }

    pub(crate) fn dyn_store(&self) -> Arc<dyn CertificateStore> {
        Arc::clone(&self.store) as Arc<dyn CertificateStore>
    }

    pub(crate) async fn want(&self, text: &str, tenant: &str) -> Name {
        let name = name(text);
        self.store.want(&name, tenant, self.clock.now()).await.unwrap();
        name
    }

    pub(crate) async fn record(&self, name: &Name) -> Record {
        self.store.record(name).await.unwrap().unwrap()
    }

    /// The wire face, validating by the answers in the store.
    pub(crate) fn wire(&self) -> Arc<WireCa> {
        let validator: Arc<dyn Validator> = Arc::new(StoreValidator(self.dyn_store()));
        Arc::new(WireCa::new(Arc::clone(&self.ca), validator, "https://ca.test"))
    }

    /// The issuer `id` of the settings over ACME in process.
    pub(crate) fn acme(&self, wire: &Arc<WireCa>, id: &str) -> Arc<dyn Authority> {
        let mut issuer = self.settings.issuers.iter().find(|issuer| issuer.id == id).unwrap().clone();
        issuer.directory = wire.directory();
        let transport = Arc::new(InProcess(Arc::clone(wire)));
        let around = (self.dyn_store(), Arc::clone(&self.sealer) as Arc<dyn Sealer>, Arc::clone(&self.clock));
        let acme = AcmeAuthority::new(issuer, transport, Duration::from_secs(20), around, "test".into());
        Arc::new(acme.unwrap())
    }

    pub(crate) fn logical(&self, validator: Arc<dyn Validator>) -> Arc<dyn Authority> {
        Arc::new(LogicalCa::new(Arc::clone(&self.ca), validator, "key"))
    }

    pub(crate) fn manager(
        &self,
        holder: &str,
        store: Arc<dyn CertificateStore>,
        authorities: Vec<(&str, Arc<dyn Authority>)>,
        keys: Arc<dyn KeyMaker>,
        dns: Option<Arc<dyn DnsProvider>>,
    ) -> Manager {
        let authorities: HashMap<_, _> = authorities.into_iter().map(|(id, one)| (id.to_owned(), one)).collect();
        Manager::new(ManagerParts {
            store,
            sealer: Arc::clone(&self.sealer) as Arc<dyn Sealer>,
            clock: Arc::clone(&self.clock),
            keys,
            dns,
            authorities,
            settings: self.settings.clone(),
            holder: holder.into(),
        })
    }

    /// A manager with real keys over the wire face.
    pub(crate) fn wire_manager(&self, wire: &Arc<WireCa>) -> Manager {
        self.manager("one", self.dyn_store(), vec![("fake", self.acme(wire, "fake"))], Arc::new(RcgenKeys), None)
    }

    /// A manager with simulated keys over the logical face.
    pub(crate) fn logical_manager(&self, holder: &str, validator: Arc<dyn Validator>) -> Manager {
        let authorities = vec![("fake", self.logical(validator))];
        self.manager(holder, self.dyn_store(), authorities, sim_keys(), None)
    }
}

pub(crate) fn sim_keys() -> Arc<dyn KeyMaker> {
    Arc::new(SimKeys(SeededRandom::new(7)))
}

/// Runs `manager` until `done`, at most for `longest` by tokio's clock; says whether it was done.
pub(crate) async fn run_until<F: Future<Output = bool>>(
    manager: &Manager,
    longest: Duration,
    done: impl Fn() -> F,
) -> bool {
    // Not more often than a long time needs.
    let interval = (longest / 20_000).max(Duration::from_millis(100));
    let looking = async {
        while !done().await {
            tokio::time::sleep(interval).await;
        }
    };
    tokio::select! {
        () = manager.run(CancellationToken::new()) => false,
        () = tokio::time::sleep(longest) => false,
        () = looking => true,
    }
}
