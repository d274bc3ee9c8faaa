//! Names and passwords (RFC 7617), checked where blocking is allowed, the outcome remembered for a while.

use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use edge_routes::{BasicAuth, CompiledRoute};
use http::{HeaderMap, header};
use quick_cache::sync::Cache;
use tokio::{sync::Semaphore, time::timeout};

/// Outcomes remembered.
const OUTCOMES: usize = 10_000;
/// For how long.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Passwords checked at once; each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Known,
    Unknown,
    /// Too many are waiting.
    Busy,
}

/// Checks passwords and remembers.
pub(crate) struct Passwords {
    /// By a keyed hash of credential and users: a change of either is another entry, and no password is kept.
    outcomes: Cache<(u64, u64), (bool, Instant)>,
    keys: (RandomState, RandomState),
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            outcomes: Cache::new(OUTCOMES),
            keys: (RandomState::new(), RandomState::new()),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// Whether the request's credential is one of the route's users.
    pub(crate) async fn judge(&self, route: &Arc<CompiledRoute>, headers: &HeaderMap) -> Verdict {
        let Some(auth) = &route.route.modifiers.basic_auth else { return Verdict::Known };
        let Some(credential) = headers.get(header::AUTHORIZATION) else { return Verdict::Unknown };
        let key = (name(&self.keys.0, auth, credential.as_bytes()), name(&self.keys.1, auth, credential.as_bytes()));
        if let Some((known, at)) = self.outcomes.get(&key)
            && at.elapsed() < REMEMBERED
        {
            return verdict(known);
        }
        let Ok(Ok(turn)) = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await else {
            return Verdict::Busy;
        };
        let route = Arc::clone(route);
        let only = HeaderMap::from_iter([(header::AUTHORIZATION, credential.clone())]);
        let check = tokio::task::spawn_blocking(move || {
            let known = route.route.modifiers.basic_auth.as_ref().is_some_and(|auth| auth.verify(&only).is_some());
            drop(turn);
            known
        });
        let Ok(known) = check.await else { return Verdict::Busy };
        self.outcomes.insert(key, (known, Instant::now()));
        verdict(known)
    }
}

fn verdict(known: bool) -> Verdict {
    if known { Verdict::Known } else { Verdict::Unknown }
}

fn name(key: &RandomState, auth: &BasicAuth, credential: &[u8]) -> u64 {
    let mut hasher = key.build_hasher();
    for user in &auth.users {
        (&user.name, &user.hash).hash(&mut hasher);
    }
    credential.hash(&mut hasher);
    hasher.finish()
}
