//! What is in force, and its replacement while requests run.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use edge_cache::{Cache, Clock};
use edge_routes::Explanation;
use edge_upstream::{Environment, PoolStatus, Pools};
use futures_util::FutureExt;
use http::HeaderValue;

use super::{
    access,
    basic::Passwords,
    file::{Ask, RoutesError, RoutesFile, pool_problems},
    held::Watch,
    in_force::InForce,
    note,
    passage::Passage,
    tunnels::Tunnels,
};
use crate::{
    authenticator::{Authenticator, Identity},
    config::Config,
    identity_field::Vouchers,
    limits::{Allowances, LimitFigures, NamedLimit, NamedLimits},
};

/// Routes, pools and cache of one edge.
pub struct Routing {
    file: Option<PathBuf>,
    /// What the file said last, and what came another way.
    sources: Mutex<Sources>,
    in_force: ArcSwap<InForce>,
    pools: Pools,
    pub(crate) cache: Cache,
    pub(crate) passwords: Passwords,
    authenticator: Option<Arc<dyn Authenticator>>,
    vouchers: Vouchers,
    /// As they stand in the settings, which stay while the process runs.
    named: Vec<NamedLimit>,
    limits: NamedLimits,
    pub(crate) tunnels: Tunnels,
}

#[derive(Clone, Default)]
struct Sources {
    file: RoutesFile,
    rows: RoutesFile,
}

impl Sources {
    /// The file's first: of two that take the same request, it wins only by being narrower or of a higher priority.
    fn all(&self) -> Result<RoutesFile, RoutesError> {
        self.file.clone().with(&self.rows)
    }
}

impl Routing {
    /// Puts the file's routes in force. Must be called on a tokio runtime, after the recorder of metrics is installed.
    /// `seed` is where chance begins, for balancing and not for secrets; `now` is the wall clock of the cache.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn open(
        config: &Config,
        seed: u64,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, RoutesError> {
        let routing = Self {
            file: (!config.routing.file.is_empty()).then(|| PathBuf::from(&config.routing.file)),
            sources: Mutex::default(),
            in_force: ArcSwap::default(),
            pools: Pools::new(Environment::guarded(seed)),
            cache: Cache::new((&config.cache).into(), Clock::new(now)),
            passwords: Passwords::default(),
            authenticator: None,
            vouchers: Vouchers::default(),
            named: config.limits.clone(),
            limits: NamedLimits::new(&config.limits, config.rate_limits.max_entries),
            tunnels: Tunnels::new(config.routing.tunnel_idle),
        };
        routing.reload()?;
        Ok(routing)
    }

    /// The same, which asks this one who it is that asks. Without it, nobody gets to a route that wants to know.
    #[must_use]
    pub fn with_authenticator(self, authenticator: Arc<dyn Authenticator>) -> Self {
        Self { authenticator: Some(authenticator), ..self }
    }

    /// The same, whose shared limits are settled with this store; see [`Routing::settle_limits`].
    #[must_use]
    pub fn with_allowances(self, store: &Arc<dyn Allowances>) -> Self {
        self.limits.share(store);
        self
    }

    /// Settles the accounts of shared limits with their store. To be called a few times a second, in the background.
    pub async fn settle_limits(&self) {
        self.limits.settle().await;
    }

    /// Reads the file again and puts it in force, as a whole or not at all. Without a file there is nothing to do.
    /// Returns how many routes and pools there are. It reads from disk: call it where blocking is allowed.
    ///
    /// # Errors
    /// Everything that is wrong; then what was in force stays.
    pub fn reload(&self) -> Result<(usize, usize), RoutesError> {
        let Some(path) = &self.file else { return Ok((0, 0)) };
        self.replace(RoutesFile::read(path)?)
    }

    /// Puts these routes and pools in force in place of the file's, for requests that come after; those that came
    /// another way stay.
    ///
    /// # Errors
    /// Everything that is wrong; then what was in force stays.
    pub fn replace(&self, file: RoutesFile) -> Result<(usize, usize), RoutesError> {
        self.put(|sources| sources.file = file)
    }

    /// Puts these routes and pools in force beside the file's, in place of those that came before them.
    ///
    /// # Errors
    /// Everything that is wrong with all together; then what was in force stays.
    pub fn replace_rows(&self, rows: RoutesFile) -> Result<(usize, usize), RoutesError> {
        self.put(|sources| sources.rows = rows)
    }

    /// Whether these hold together with the file's.
    ///
    /// # Errors
    /// Everything that is wrong with all together.
    pub fn check_rows(&self, rows: &RoutesFile) -> Result<(), RoutesError> {
        self.sources().file.clone().with(rows)?.check(&self.named)
    }

    /// How many routes the file has; the others come after them.
    pub fn routes_of_file(&self) -> usize {
        self.sources().file.size().0
    }

    /// Says what would happen to a request.
    ///
    /// # Errors
    /// What is wrong with the request's path.
    pub fn explain(&self, ask: &Ask) -> Result<Explanation, RoutesError> {
        let all = self.sources().all()?;
        all.explain(ask, &self.named)
    }

    /// How the pools stand.
    pub fn pools(&self) -> Vec<PoolStatus> {
        self.pools.status()
    }

    fn put(&self, change: impl FnOnce(&mut Sources)) -> Result<(usize, usize), RoutesError> {
        // Held to the end: one at a time.
        let mut sources = self.sources();
        let mut next = sources.clone();
        change(&mut next);
        let all = next.all()?;
        let size = all.size();
        let checked = all.compile(&self.named)?;
        self.pools.replace(checked.pools).map_err(|faults| RoutesError(pool_problems("", faults)))?;
        self.in_force.store(Arc::new(InForce::new(checked.routes, &self.pools, &self.limits)));
        *sources = next;
        Ok(size)
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the limits that routes name stand.
    pub fn limits(&self) -> Vec<LimitFigures> {
        self.limits.figures()
    }

    /// Brings those figures up to date that are not counted as they change.
    pub fn note_figures(&self) {
        note::cache(&self.cache.stats());
        self.limits.note_figures();
    }

    /// Ends upgraded connections, then waits for what is left of requests to services and of answers that are being
    /// stored, each bounded by its timeouts. For the end of a drain.
    pub async fn close(&self) {
        self.tunnels.close().await;
        self.in_force.store(Arc::default());
        self.pools.close().await;
        self.cache.close().await;
    }

    pub(crate) fn authenticator(&self) -> Option<&dyn Authenticator> {
        self.authenticator.as_deref()
    }

    /// The field that tells a service who asks; `None` while it can't be signed.
    pub(crate) async fn vouch(&self, identity: &Identity, audience: &str, request_id: &str) -> Option<HeaderValue> {
        self.vouchers.field(self.authenticator()?, identity, audience, request_id).await
    }

    /// An eye on whoever was let in, for answers that go on; none for a route that asked nobody.
    pub(crate) fn watch(&self, passage: &Passage) -> Option<Watch> {
        let identity = passage.identity.get()?.clone();
        let (by, require) = (Arc::clone(self.authenticator.as_ref()?), passage.modifiers().require.clone()?);
        Some(Box::new(move || access::lost(require, by.follow(&identity)).boxed()))
    }

    pub(crate) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routing").field("file", &self.file).field("pools", &self.pools).finish_non_exhaustive()
    }
}
