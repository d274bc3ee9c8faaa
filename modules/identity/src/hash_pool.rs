//! Password hashing in a bounded pool.
//!
//! A hash takes tens of milliseconds and about 20 MiB on purpose. So only a few run at once, a few more wait for a
//! bounded time, and the rest is asked to come back before it hurts other requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use kernel::{Caller, Problem, Random};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ConfigError;
use crate::config::IdentityConfig;
use crate::error::Error;
use crate::passwords::Password;

/// How busy the hash pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFigures {
    /// Hashes that run.
    pub busy: usize,
    /// Requests that wait for one.
    pub waiting: usize,
    /// How many may run at once.
    pub capacity: usize,
}

/// The pool.
pub(crate) struct HashPool {
    slots: Arc<Semaphore>,
    counts: Arc<Counts>,
    capacity: usize,
    queue: usize,
    patience: Duration,
    params: Params,
    decoy: Arc<str>,
    random: Random,
}

#[derive(Default)]
struct Counts {
    busy: AtomicUsize,
    waiting: AtomicUsize,
    /// Hashes so far.
    done: AtomicU64,
}

impl HashPool {
    /// A pool with the configured parameters.
    ///
    /// # Errors
    /// Parameters that Argon2 does not take.
    pub(crate) fn new(config: &IdentityConfig, random: Random) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError { setting: "hash_memory, hash_passes or hash_lanes", reason };
        let params = Params::new(config.hash_memory, config.hash_passes, config.hash_lanes, None)
            .map_err(|error| wrong(error.to_string()))?;
        let capacity = config.threads();
        metrics::gauge!("holdfast_hash_pool_capacity").set(u32::try_from(capacity).unwrap_or(u32::MAX));
        let decoy = decoy(&params, &random).map_err(|problem| wrong(problem.detail))?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(capacity)),
            counts: Arc::default(),
            capacity,
            queue: config.hash_queue,
            patience: config.hash_wait,
            params,
            decoy,
            random,
        })
    }

    /// How busy it is.
    pub(crate) fn figures(&self) -> PoolFigures {
        PoolFigures {
            busy: self.counts.busy.load(Ordering::Relaxed),
            waiting: self.counts.waiting.load(Ordering::Relaxed),
            capacity: self.capacity,
        }
    }

    /// How many hashes were made so far.
    #[cfg(test)]
    pub(crate) fn done(&self) -> u64 {
        self.counts.done.load(Ordering::Relaxed)
    }

    /// Whether the password fits. Without a stored hash the same work is done against one that nothing fits.
    ///
    /// # Errors
    /// [`Error::Busy`], or the stored hash is malformed.
    pub(crate) async fn verify(
        &self,
        caller: &Caller,
        password: &Password,
        stored: Option<&str>,
    ) -> Result<bool, Error> {
        let known = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| Arc::clone(&self.decoy), Arc::from);
        let password = password.clone();
        let fits = move || {
            let parsed = PasswordHash::new(&stored)?;
            match Argon2::default().verify_password(password.bytes(), &parsed) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(error) => Err(error),
            }
        };
        Ok(self.run(caller, fits).await? && known)
    }

    /// The password's hash in PHC form.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub(crate) async fn hash(&self, caller: &Caller, password: &Password) -> Result<String, Error> {
        let salt = salt(&self.random)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let password = password.clone();
        self.run(caller, move || Ok(argon.hash_password(password.bytes(), &salt)?.to_string())).await
    }

    /// Whether a hash was made with other parameters than those of today.
    pub(crate) fn outdated(&self, stored: &str) -> bool {
        let params = PasswordHash::new(stored).ok().and_then(|parsed| Params::try_from(&parsed).ok());
        params.is_none_or(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                != (self.params.m_cost(), self.params.t_cost(), self.params.p_cost())
        })
    }

    async fn run<T, W>(&self, caller: &Caller, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, argon2::password_hash::Error> + Send + 'static,
    {
        let slot = self.slot(caller).await?;
        let counts = Arc::clone(&self.counts);
        // The slot travels with the work: a client that leaves does not make room for another one too early.
        let outcome = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let _busy = Raised::new(&counts.busy, "holdfast_hash_pool_busy");
            counts.done.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("holdfast_hashes_total").increment(1);
            work()
        });
        let outcome = outcome.await.map_err(Problem::internal)?;
        outcome.map_err(|error| Problem::internal(error).into())
    }

    async fn slot(&self, caller: &Caller) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(free) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(free);
        }
        let waiting = Raised::new(&self.counts.waiting, "holdfast_hash_pool_waiting");
        if waiting.before >= self.queue {
            metrics::counter!("holdfast_hash_pool_shed_total").increment(1);
            return Err(Error::Busy);
        }
        let patience = self.patience.min(caller.time_left());
        let turn = tokio::time::timeout(patience, Arc::clone(&self.slots).acquire_owned()).await;
        if let Ok(Ok(slot)) = turn {
            return Ok(slot);
        }
        metrics::counter!("holdfast_hash_pool_shed_total").increment(1);
        Err(Error::Busy)
    }
}

/// Counts one more until it is dropped.
struct Raised<'a> {
    count: &'a AtomicUsize,
    gauge: &'static str,
    before: usize,
}

impl<'a> Raised<'a> {
    fn new(count: &'a AtomicUsize, gauge: &'static str) -> Self {
        metrics::gauge!(gauge).increment(1);
        Self { count, gauge, before: count.fetch_add(1, Ordering::AcqRel) }
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        metrics::gauge!(self.gauge).decrement(1);
        self.count.fetch_sub(1, Ordering::AcqRel);
    }
}

fn salt(random: &Random) -> Result<SaltString, Problem> {
    SaltString::encode_b64(&random.bytes::<16>()).map_err(Problem::internal)
}

/// A hash of nothing: random bytes in the form of one, so that making it costs nothing and checking it costs the same
/// as any other.
fn decoy(params: &Params, random: &Random) -> Result<Arc<str>, Problem> {
    let output = argon2::password_hash::Output::new(&random.bytes::<32>()).map_err(Problem::internal)?;
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let salt = salt(random)?;
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}").into())
}

#[cfg(test)]
mod tests {
    use kernel::{SYSTEM_TENANT, Secret};

    use super::*;

    fn password(text: &str) -> Password {
        Password::given(&Secret::from(text.to_owned()))
    }

    fn pool(threads: usize, queue: usize) -> HashPool {
        let config = IdentityConfig { hash_threads: threads, hash_queue: queue, ..IdentityConfig::quick() };
        HashPool::new(&config, Random::default()).unwrap()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_nothing_fits_the_decoy() {
        let (pool, caller) = (pool(1, 1), Caller::system("test", SYSTEM_TENANT));
        let right = password("plain harbour lantern 42");

        let hash = pool.hash(&caller, &right).await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(pool.verify(&caller, &right, Some(&hash)).await.unwrap());
        assert!(!pool.verify(&caller, &password("other"), Some(&hash)).await.unwrap());
        assert!(!pool.verify(&caller, &right, None).await.unwrap());
        assert_eq!(pool.done(), 4);
        assert!(!pool.outdated(&hash));
        assert!(pool.outdated(&hash.replace("m=64", "m=128")));
    }

    #[tokio::test]
    async fn a_full_queue_sheds_at_once_and_the_figures_return_to_zero() {
        let (pool, caller) = (pool(1, 1), Caller::system("test", SYSTEM_TENANT));
        let held = Arc::clone(&pool.slots).acquire_owned().await.unwrap();
        let right = password("x");
        let waiting = pool.hash(&caller, &right);
        let shed = async {
            while pool.figures().waiting == 0 {
                tokio::task::yield_now().await;
            }
            let refused = pool.hash(&caller, &right).await;
            drop(held);
            refused
        };

        let (waited, refused) = tokio::join!(waiting, shed);

        assert!(waited.is_ok());
        let problem = Problem::from(refused.unwrap_err());
        assert_eq!((problem.kind.status(), problem.code.as_ref()), (503, "identity.busy"));
        assert!(problem.retry_after.is_some());
        assert_eq!(pool.figures(), PoolFigures { busy: 0, waiting: 0, capacity: 1 });
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_allowed() {
        let config =
            IdentityConfig { hash_threads: 1, hash_wait: Duration::from_millis(20), ..IdentityConfig::quick() };
        let pool = HashPool::new(&config, Random::default()).unwrap();
        let held = Arc::clone(&pool.slots).acquire_owned().await.unwrap();

        let refused = pool.hash(&Caller::system("test", SYSTEM_TENANT), &password("x")).await;

        assert!(matches!(refused, Err(Error::Busy)));
        drop(held);
    }
}
