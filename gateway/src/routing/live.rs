//! What is in force, and its replacement while requests run.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use edge_cache::{Cache, Clock, PurgeMode};
use edge_routes::Explanation;
use edge_upstream::{Environment, PoolStatus, Pools};
use uuid::Uuid;

use super::{
    basic::Passwords,
    config::{CacheConfig, RoutingConfig},
    file::{Ask, RoutesError, RoutesFile, pool_problems},
    in_force::InForce,
    note,
    tunnels::Tunnels,
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
        config: &RoutingConfig,
        cache: &CacheConfig,
        seed: u64,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, RoutesError> {
        let routing = Self {
            file: (!config.file.is_empty()).then(|| PathBuf::from(&config.file)),
            sources: Mutex::default(),
            in_force: ArcSwap::default(),
            pools: Pools::new(Environment::guarded(seed)),
            cache: Cache::new(cache.into(), Clock::new(now)),
            passwords: Passwords::default(),
            tunnels: Tunnels::new(config.tunnel_idle),
        };
        routing.reload()?;
        Ok(routing)
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
        self.sources().file.clone().with(rows)?.check()
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
        all.explain(ask)
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
        let checked = all.compile()?;
        self.pools.replace(checked.pools).map_err(|faults| RoutesError(pool_problems("", faults)))?;
        self.in_force.store(Arc::new(InForce::new(checked.routes, &self.pools)));
        *sources = next;
        Ok(size)
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Purges what the cache keeps of the shared host whose path and query begin with `prefix`: on one host (with its
    /// port, where that is not the scheme's own), or on all. Returns how many answers that were.
    pub async fn purge(&self, host: Option<&str>, prefix: &str) -> usize {
        self.cache.purge_prefix(Uuid::nil(), host, prefix, PurgeMode::Hard).await
    }

    /// Brings those figures up to date that are not counted as they change.
    pub fn note_figures(&self) {
        note::cache(&self.cache.stats());
    }

    /// Ends upgraded connections, then waits for what is left of requests to services and of answers that are being
    /// stored, each bounded by its timeouts. For the end of a drain.
    pub async fn close(&self) {
        self.tunnels.close().await;
        self.in_force.store(Arc::default());
        self.pools.close().await;
        self.cache.close().await;
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
