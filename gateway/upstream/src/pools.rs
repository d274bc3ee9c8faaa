//! All pools by name, and their replacement while requests are under way.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use tokio_util::task::TaskTracker;

use crate::{
    address::{AddressPolicy, PublicAddresses},
    balance::Dice,
    config::{ConfigError, Invalid, PoolConfig},
    pool::{Pool, PoolStatus},
    resolve::{Resolver, SystemResolver},
    target::Surroundings,
    tls::SystemRoots,
};

/// What pools need from outside.
pub struct Environment {
    /// Decides where a pool with [`crate::config::Reach::Guarded`] may connect to.
    pub policy: Arc<dyn AddressPolicy>,
    pub resolver: Arc<dyn Resolver>,
    /// Where chance begins: for balancing and jitter, not for secrets.
    pub seed: u64,
}

impl Environment {
    /// Public addresses only, the system's resolver.
    pub fn guarded(seed: u64) -> Self {
        Self { policy: Arc::new(PublicAddresses::default()), resolver: Arc::new(SystemResolver), seed }
    }
}

type Named = BTreeMap<String, Arc<Pool>>;

/// Named pools. Looking one up takes no lock.
pub struct Pools {
    around: Surroundings,
    seeds: Dice,
    named: ArcSwap<Named>,
    replacing: Mutex<()>,
}

impl Pools {
    /// None yet.
    pub fn new(environment: Environment) -> Self {
        let Environment { policy, resolver, seed } = environment;
        let around = Surroundings { resolver, policy, roots: SystemRoots::default(), tasks: TaskTracker::new() };
        Self { around, seeds: Dice::new(seed), named: ArcSwap::default(), replacing: Mutex::default() }
    }

    /// Puts these pools in the place of all there are, at once or not at all. Must be called on a tokio runtime.
    ///
    /// A pool whose settings are the same stays as it is. In one that changes, targets with the same place and the
    /// same connection settings keep their connections, their health and their figures. Requests under way go on
    /// with what they started with.
    ///
    /// # Errors
    /// Everything that is wrong, each with the pool's name before the path.
    pub fn replace(&self, configs: BTreeMap<String, PoolConfig>) -> Result<(), ConfigError> {
        let wrong: Vec<Invalid> = configs.iter().flat_map(|(name, config)| faults(name, config)).collect();
        if !wrong.is_empty() {
            return Err(ConfigError(wrong));
        }
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.named.load_full();
        let mut next = Named::new();
        for (name, config) in configs {
            let old = before.get(&name);
            let pool = match old {
                Some(old) if *old.config() == config => Arc::clone(old),
                _ => Pool::new(&name, config, old.map(|old| &**old), &self.around, self.seeds.roll())
                    .map_err(|sentence| ConfigError(vec![Invalid { path: name.clone(), sentence }]))?,
            };
            next.insert(name, pool);
        }
        self.named.store(Arc::new(next));
        Ok(())
    }

    /// The pool of that name.
    pub fn get(&self, name: &str) -> Option<Arc<Pool>> {
        self.named.load().get(name).cloned()
    }

    /// How all pools stand, by name.
    pub fn status(&self) -> Vec<PoolStatus> {
        self.named.load().values().map(|pool| pool.status()).collect()
    }

    /// Lets all pools go and waits until their tasks have ended, which they do with the last request.
    pub async fn close(&self) {
        self.named.store(Arc::default());
        self.around.tasks.close();
        self.around.tasks.wait().await;
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pools").field(&self.named.load().keys().collect::<Vec<_>>()).finish()
    }
}

fn faults(name: &str, config: &PoolConfig) -> Vec<Invalid> {
    let named = |Invalid { path, sentence }| Invalid { path: format!("{name}.{path}"), sentence };
    config.check().err().map(|ConfigError(wrong)| wrong.into_iter().map(named).collect()).unwrap_or_default()
}
