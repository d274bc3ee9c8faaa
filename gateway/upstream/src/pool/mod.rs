//! A pool: its targets, and what they share.

mod attempt;
mod ejection;
mod health;
mod keeper;
mod pick;
mod send;
mod status;

pub use status::PoolStatus;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::{Request, Response};
use http_body::Body;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    balance::Balancer,
    body::UpstreamBody,
    budget::Budget,
    config::{Place, PoolConfig},
    error::{BoxError, UpstreamError},
    forwarding::Forwarding,
    shed::Shedder,
    target::{Surroundings, Target, TargetKey},
    telemetry,
};

/// A pool of upstream servers. Made by [`crate::Pools::replace`].
///
/// Requests that were begun go on when it is replaced.
pub struct Pool {
    core: Arc<Core>,
    /// Ends the tasks that look after the targets.
    _stop: DropGuard,
}

/// What outlives the pool for the requests under way.
pub(crate) struct Core {
    name: Arc<str>,
    config: PoolConfig,
    members: Vec<Member>,
    balancer: Balancer,
    budget: Arc<Budget>,
    shedder: Arc<Shedder>,
    /// Held while a target is ejected, so that two don't go at once. Shared with the pool's successors.
    ejecting: Arc<Mutex<Succession>>,
    /// Targets of former versions with requests under way.
    draining: Mutex<Vec<Former>>,
}

/// Which version of the pool judges now.
#[derive(Default)]
struct Succession(Weak<Core>);

struct Member {
    target: Arc<Target>,
    /// Against the heaviest.
    share: f64,
    /// It was there before, so what is known of it holds.
    known: bool,
}

#[derive(Clone)]
struct Former {
    url: String,
    target: Arc<Target>,
}

impl Pool {
    /// Makes a pool out of settings that were checked, taking over what it can from the one before. Its tasks run on
    /// the runtime at hand.
    pub(crate) fn new(
        name: &str,
        config: PoolConfig,
        before: Option<&Self>,
        around: &Surroundings,
        seed: u64,
    ) -> Result<Arc<Self>, String> {
        let core = Arc::new(Core::new(name, config, before.map(|before| &*before.core), around, seed)?);
        *core.ejecting.lock().unwrap_or_else(PoisonError::into_inner) = Succession(Arc::downgrade(&core));
        let stop = CancellationToken::new();
        around.tasks.spawn(keeper::keep(Arc::clone(&core), stop.clone()));
        if let Some(check) = &core.config.health {
            for index in 0..core.members.len() {
                around.tasks.spawn(health::watch(
                    Arc::clone(&core),
                    index,
                    check.clone(),
                    around.tasks.clone(),
                    stop.clone(),
                ));
            }
        }
        Ok(Arc::new(Self { core, _stop: stop.drop_guard() }))
    }

    pub(crate) fn config(&self) -> &PoolConfig {
        &self.core.config
    }

    pub fn name(&self) -> &Arc<str> {
        &self.core.name
    }

    /// Forwards a request: writes it anew, chooses a target, sends it, and if need and budget allow sends it again to
    /// another one. Returns when the head of the answer is there; its body follows as the upstream sends it.
    ///
    /// Dropping the future, or the answer's body, cancels the request at the upstream. With [`Forwarding::upgrades`]
    /// a 101 carries a `hyper::upgrade::OnUpgrade`, for [`crate::tunnel`].
    ///
    /// # Errors
    /// [`UpstreamError`], if no target gave an answer.
    pub async fn send<B>(
        &self,
        request: Request<B>,
        context: Forwarding,
    ) -> Result<Response<UpstreamBody>, UpstreamError>
    where
        B: Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let sent = self.core.send(request, context).await;
        sent.inspect_err(|error| telemetry::refused(&self.core.name, error.code()))
    }

    /// How the pool and its targets stand.
    pub fn status(&self) -> PoolStatus {
        self.core.status()
    }
}

impl Core {
    fn new(
        name: &str,
        config: PoolConfig,
        before: Option<&Self>,
        around: &Surroundings,
        seed: u64,
    ) -> Result<Self, String> {
        let heaviest = config.targets.iter().map(|target| target.weight).max().unwrap_or(1);
        let mut members = Vec::with_capacity(config.targets.len());
        for target in &config.targets {
            let key = TargetKey {
                place: Place::parse(&target.url).map_err(|error| error.to_string())?,
                tls: config.tls.clone(),
                connections: config.connections,
                breaker: config.breaker,
                reach: config.reach,
            };
            let kept = before.and_then(|before| before.target(&key));
            let known = kept.is_some();
            let target_made = kept.map_or_else(|| Target::new(name, key, around), Ok)?;
            let share = f64::from(target.weight) / f64::from(heaviest);
            members.push(Member { target: target_made, share, known });
        }
        let now = Instant::now();
        for member in &members {
            if before.is_some() && !member.known {
                member.target.standing.join(now);
            }
            if config.health.is_none() {
                member.target.standing.set_healthy(true, now);
            }
        }
        let same_retry = before.filter(|before| before.config.retry == config.retry);
        let same_shedding = before.filter(|before| before.config.shedding == config.shedding);
        Ok(Self {
            name: name.into(),
            balancer: Balancer::new(seed, members.len()),
            budget: same_retry.map_or_else(
                || Arc::new(Budget::new(config.retry.budget_percent, config.retry.min_retries)),
                |before| Arc::clone(&before.budget),
            ),
            shedder: same_shedding.map_or_else(|| Shedder::new(config.shedding), |before| Arc::clone(&before.shedder)),
            ejecting: before.map(|before| Arc::clone(&before.ejecting)).unwrap_or_default(),
            draining: Mutex::new(before.map(|before| before.left_behind(&members)).unwrap_or_default()),
            members,
            config,
        })
    }

    fn target(&self, key: &TargetKey) -> Option<Arc<Target>> {
        let found = self.members.iter().find(|member| member.target.key == *key)?;
        Some(Arc::clone(&found.target))
    }

    /// The targets that the next version doesn't have.
    fn left_behind(&self, next: &[Member]) -> Vec<Former> {
        let mut former = self.draining.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (member, config) in self.members.iter().zip(&self.config.targets) {
            if !next.iter().any(|next| Arc::ptr_eq(&next.target, &member.target)) {
                former.push(Former { url: config.url.clone(), target: Arc::clone(&member.target) });
            }
        }
        former.retain(|former| former.target.load.in_flight() > 0);
        former
    }
}
