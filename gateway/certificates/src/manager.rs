//! The loop that obtains and renews: due names, fairly, several at once, each under its lease.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{sync::Notify, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    authority::Authority,
    circuit::Circuit,
    dns::DnsProvider,
    keys::KeyMaker,
    name::Name,
    ports::{Clock, Sealer},
    queue::Queue,
    settings::{IssuerSettings, Settings},
    store::{CertificateStore, Due, Lane, StoreError, Waiting},
    timeline::Entry,
    worker::{self, Left},
};

/// What a [`Manager`] is made of.
pub struct ManagerParts {
    pub store: Arc<dyn CertificateStore>,
    pub sealer: Arc<dyn Sealer>,
    pub clock: Arc<dyn Clock>,
    pub keys: Arc<dyn KeyMaker>,
    /// Sets TXT records; none: no DNS-01.
    pub dns: Option<Arc<dyn DnsProvider>>,
    /// The CAs by their ids in the settings.
    pub authorities: HashMap<String, Arc<dyn Authority>>,
    pub settings: Settings,
    /// This replica: unlike every other, and unlike itself before a restart.
    pub holder: String,
}

/// Parts and memory that the work shares.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Arc<dyn KeyMaker>,
    pub(crate) dns: Option<Arc<dyn DnsProvider>>,
    authorities: HashMap<String, Arc<dyn Authority>>,
    pub(crate) settings: Settings,
    pub(crate) holder: String,
    circuits: Mutex<HashMap<String, Circuit>>,
    /// A certificate was issued or withdrawn here.
    pub(crate) changed: Notify,
}

impl Shared {
    pub(crate) fn issuer(&self, id: &str) -> Option<(&IssuerSettings, &dyn Authority)> {
        let settings = self.settings.issuers.iter().find(|issuer| issuer.id == id)?;
        Some((settings, self.authorities.get(id)?.as_ref()))
    }

    pub(crate) fn circuit<T>(&self, issuer: &str, look: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        if !circuits.contains_key(issuer) {
            circuits.insert(issuer.to_owned(), Circuit::default());
        }
        look(circuits.entry(issuer.to_owned()).or_default())
    }
}

/// Obtains and renews certificates.
pub struct Manager {
    pub(crate) shared: Arc<Shared>,
    queue: Mutex<Queue>,
    /// Orders under way that are to be looked at before the next poll, by that moment. Only a short cut: who is not
    /// here is found by the poll, and by other replicas.
    soon: Mutex<BTreeMap<(DateTime<Utc>, Name), Waiting>>,
    /// Until when lanes that place orders are not asked, because every issuer is out of budget.
    blocked: Mutex<HashMap<Lane, DateTime<Utc>>>,
    wake: Notify,
    /// A name was worked on here.
    pub(crate) settled: Notify,
}

/// What a [`Manager::tick`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Names that were worked on.
    pub worked: usize,
    /// The store could not be used.
    pub store_down: bool,
    /// Orders wait for the CA's limits until then.
    pub blocked_until: Option<DateTime<Utc>>,
}

/// Names at work. They make progress only while this is polled, also while the store is asked for more: they may hold
/// the very connections that it waits for.
type Work<'a> = FuturesUnordered<BoxFuture<'a, (Waiting, Left)>>;

impl Manager {
    /// A manager that does nothing until [`Manager::run`] or [`Manager::tick`].
    pub fn new(parts: ManagerParts) -> Self {
        let ManagerParts { store, sealer, clock, keys, dns, authorities, settings, holder } = parts;
        let (circuits, changed) = (Mutex::default(), Notify::new());
        let queue = Mutex::new(Queue::new(settings.concurrency));
        let shared = Shared { store, sealer, clock, keys, dns, authorities, settings, holder, circuits, changed };
        Self {
            shared: Arc::new(shared),
            queue,
            soon: Mutex::default(),
            blocked: Mutex::default(),
            wake: Notify::new(),
            settled: Notify::new(),
        }
    }

    /// Works until `stop`. What is under way then is left to its lease: another replica, or this one after its
    /// restart, goes on from the step that was saved.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.run_forever() => {}
        }
    }

    async fn run_forever(&self) {
        let mut running = Work::new();
        let mut tick = Tick::default();
        // Not made anew in the loop: names that end meanwhile must not put the next look off.
        let mut looks = tokio::time::interval(self.shared.settings.poll);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // A store that fails is left alone until the next poll.
            if !tick.store_down {
                self.fill(&mut running, &mut tick).await;
            }
            tokio::select! {
                Some((record, left)) = running.next() => self.finished(&record, &left, &mut tick),
                () = self.wake.notified() => self.forget_candidates(),
                () = self.next_moment() => self.take_soon(),
                _ = looks.tick() => {
                    tick.store_down = false;
                    self.forget_candidates();
                }
            }
        }
    }

    /// Works on everything that is due now, and returns when nothing is left.
    pub async fn tick(&self) -> Tick {
        let (mut running, mut tick) = (Work::new(), Tick::default());
        loop {
            self.fill(&mut running, &mut tick).await;
            let Some((record, left)) = running.next().await else { break };
            self.finished(&record, &left, &mut tick);
            if tick.store_down {
                self.forget_candidates();
                break;
            }
        }
        let now = self.shared.clock.now();
        tick.blocked_until = self.lock_blocked().values().copied().filter(|until| *until > now).min();
        tick
    }

    /// Looks again now instead of at the next poll.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Completes when a certificate was issued or withdrawn by this replica after the call.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    async fn fill<'a>(&'a self, running: &mut Work<'a>, tick: &mut Tick) {
        while running.len() < self.shared.settings.concurrency {
            if self.lock_queue().is_empty() && !self.refill(running, tick).await {
                return;
            }
            let Some(record) = self.lock_queue().pick() else { return };
            tick.worked += 1;
            running.push(Box::pin(async move {
                let left = worker::work(&self.shared, &record.name).await;
                (record, left)
            }));
        }
    }

    /// Asks the store for due names; false if there are none.
    async fn refill(&self, running: &mut Work<'_>, tick: &mut Tick) -> bool {
        let mut asked = pin!(self.due());
        let found = loop {
            tokio::select! {
                biased;
                found = asked.as_mut() => break found,
                Some((record, left)) = running.next() => self.finished(&record, &left, tick),
            }
        };
        match found {
            Ok(found) => {
                let mut queue = self.lock_queue();
                queue.refill(found);
                !queue.is_empty()
            }
            Err(error) => {
                tracing::warn!(%error, "due names can't be read; what is held is served");
                tick.store_down = true;
                false
            }
        }
    }

    /// The due names of all lanes that are not blocked.
    async fn due(&self) -> Result<Vec<Waiting>, StoreError> {
        let now = self.shared.clock.now();
        let per_tenant = u32::try_from(self.shared.settings.concurrency).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        for lane in Lane::ALL {
            let blocked = self.lock_blocked().get(&lane).is_some_and(|until| *until > now);
            if !blocked {
                let asked = Due { lane, now, per_tenant, limit: per_tenant.saturating_mul(8) };
                found.extend(self.shared.store.due(asked).await?);
            }
        }
        Ok(found)
    }

    fn finished(&self, record: &Waiting, left: &Left, tick: &mut Tick) {
        self.lock_queue().done(record);
        match left {
            Left::Blocked(until) => {
                self.lock_blocked().insert(record.lane, *until);
                self.lock_queue().retain(|waiting| waiting.lane != record.lane);
            }
            Left::StoreDown => tick.store_down = true,
            Left::UnderWay(due) => self.keep_soon(record, *due),
            Left::Settled | Left::NotOurs => {}
        }
        self.settled.notify_waiters();
    }

    /// Keeps in mind when to go on with an order, if that is before the next poll.
    fn keep_soon(&self, record: &Waiting, due: DateTime<Utc>) {
        let wait = (due - self.shared.clock.now()).to_std().unwrap_or_default();
        if wait < self.shared.settings.poll {
            let next = Waiting { due, lane: Lane::Working, ..record.clone() };
            self.lock_soon().insert((due, next.name.clone()), next);
        }
        self.take_soon();
    }

    /// Puts the orders whose moment has come into the queue.
    fn take_soon(&self) {
        let (now, mut soon, mut queue) = (self.shared.clock.now(), self.lock_soon(), self.lock_queue());
        while let Some(first) = soon.first_entry().filter(|first| first.key().0 <= now) {
            queue.add(first.remove());
        }
    }

    /// Completes when the next order is to be gone on with; never if there is none.
    async fn next_moment(&self) {
        let Some(due) = self.lock_soon().keys().next().map(|(due, _)| *due) else {
            return std::future::pending().await;
        };
        // A clock that counts in coarser steps than the timer must not make this turn in circles.
        let wait = (due - self.shared.clock.now()).to_std().unwrap_or_default().max(Duration::from_millis(1));
        tokio::time::sleep(wait).await;
    }

    fn forget_candidates(&self) {
        self.lock_queue().refill(Vec::new());
    }

    fn lock_queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_soon(&self) -> std::sync::MutexGuard<'_, BTreeMap<(DateTime<Utc>, Name), Waiting>> {
        self.soon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_blocked(&self) -> std::sync::MutexGuard<'_, HashMap<Lane, DateTime<Utc>>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a name forward: a user says that it is mended, or a visitor waits for it. With `forgive` the wait after a
    /// failure ends too.
    ///
    /// # Errors
    /// The store can't be used.
    pub async fn try_now(&self, name: &Name, forgive: bool) -> Result<bool, StoreError> {
        let moved = self.shared.store.make_due(name, self.shared.clock.now(), forgive).await?;
        self.wake();
        Ok(moved)
    }

    /// How long a handshake may wait for a new certificate.
    pub(crate) fn on_demand_wait(&self) -> Duration {
        self.shared.settings.on_demand_wait
    }
}

/// Counts steps and failures for the operators.
pub(crate) fn count(entry: &Entry) {
    let cause = entry.cause.map_or("none", crate::Cause::code);
    metrics::counter!("edge_certificate_steps_total", "status" => format!("{:?}", entry.status).to_lowercase(), "cause" => cause)
        .increment(1);
}
