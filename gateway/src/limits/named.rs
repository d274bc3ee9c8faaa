//! Limits that routes name, several at once.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{Counter, counter};

use super::{
    Charges, LimitFigures, Rate, address_key,
    config::{NamedLimit, Subject},
    policy::{Left, Policy, Told},
    shared::{Allowances, Claim, KeyName, Settled, Shared},
};

/// How often a limit that only counts writes a line.
const A_LINE_IN: Duration = Duration::from_secs(10);

/// How often the store hears that this replica is there, at least.
const A_WORD_IN: Duration = Duration::from_secs(5);

/// All of them by name.
pub(crate) struct NamedLimits {
    all: BTreeMap<String, Arc<Named>>,
    /// When the store was told last that this replica is there; one settles at a time.
    told: tokio::sync::Mutex<Option<Instant>>,
}

/// One of them.
pub(crate) struct Named {
    name: Arc<str>,
    by: Vec<Subject>,
    rate: Rate,
    cost: NonZeroU32,
    counts: Counts,
    keys: RandomState,
    dry: Option<DryRun>,
}

/// Where a limit counts.
enum Counts {
    Here(Arc<Policy>),
    /// With other replicas, once there is a store.
    Together {
        shared: Shared,
        by: OnceLock<Arc<dyn Allowances>>,
        begun: Instant,
    },
}

/// What a limit would have done.
struct DryRun {
    would: Counter,
    /// The same, to be read.
    refusals: AtomicU64,
    begun: Instant,
    /// When the last line was written, in milliseconds since it began, plus one.
    told: AtomicU64,
    untold: AtomicU64,
}

/// Everybody that a request may count for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    pub(crate) address: IpAddr,
    /// As [`crate::App::rate_key`] names the credential.
    pub(crate) key: Option<u64>,
    pub(crate) account: Option<&'a str>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) route: &'a str,
}

impl NamedLimits {
    /// Must be made after the recorder of metrics is installed.
    pub(crate) fn new(limits: &[NamedLimit], max_entries: usize) -> Self {
        let made = |limit: &NamedLimit| Some((limit.name.clone(), Arc::new(Named::new(limit, max_entries)?)));
        Self { all: limits.iter().filter_map(made).collect(), told: tokio::sync::Mutex::default() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Named>> {
        self.all.get(name).cloned()
    }

    /// Gives shared limits their store.
    pub(crate) fn share(&self, store: &Arc<dyn Allowances>) {
        for limit in self.all.values() {
            if let Counts::Together { by, .. } = &limit.counts {
                by.get_or_init(|| Arc::clone(store));
            }
        }
    }

    /// Settles all accounts with the store.
    pub(crate) async fn settle(&self) {
        let mut told = self.told.lock().await;
        let mut claims = Vec::new();
        let mut store = None;
        for limit in self.all.values() {
            if let Counts::Together { shared, by, begun } = &limit.counts {
                store = store.or_else(|| by.get());
                shared.claims(begun.elapsed(), &mut claims);
            }
        }
        let Some(store) = store else { return };
        if claims.is_empty() && told.is_some_and(|at| at.elapsed() < A_WORD_IN) {
            return;
        }
        let settled = store.settle(&claims).await;
        *told = settled.as_ref().map(|_| Instant::now());
        for limit in self.all.values() {
            limit.note(&claims, settled.as_ref());
        }
    }

    /// How they stand.
    pub(crate) fn figures(&self) -> Vec<LimitFigures> {
        self.all.values().map(|limit| limit.figures()).collect()
    }

    /// Brings those figures up to date that are not counted as they change.
    pub(crate) fn note_figures(&self) {
        for limit in self.all.values() {
            match &limit.counts {
                Counts::Here(policy) => policy.note_clients(),
                Counts::Together { shared, .. } => shared.told.note_clients(shared.entries()),
            }
        }
    }
}

impl Named {
    fn new(limit: &NamedLimit, max_entries: usize) -> Option<Self> {
        let (name, per_minute, burst) = (&limit.name, limit.per_minute, limit.burst);
        let rate = Rate { per_minute: per_minute.get(), burst: burst.get() };
        let counts = if limit.shared {
            let shared = Shared::new(Arc::new(Told::new(name, per_minute, burst)?), per_minute, burst, max_entries);
            Counts::Together { shared, by: OnceLock::new(), begun: Instant::now() }
        } else {
            Counts::Here(Policy::new(name, rate, max_entries)?)
        };
        Some(Self {
            name: limit.name.as_str().into(),
            by: limit.by.clone(),
            rate,
            cost: limit.cost,
            counts,
            keys: RandomState::new(),
            dry: limit.dry_run.then(|| DryRun::new(&limit.name)),
        })
    }

    /// Whether it asks who it is that asks.
    pub(crate) fn asks_who(&self) -> bool {
        self.by.iter().any(|subject| matches!(subject, Subject::Account | Subject::Tenant))
    }

    /// Takes a request's cost, or `cost`, from the quota of whom it counts for.
    pub(crate) fn charge(&self, counted: &Counted<'_>, cost: Option<NonZeroU32>, charges: &mut Charges) {
        let left = self.left(counted, cost.unwrap_or(self.cost));
        match &self.dry {
            None => {
                if left.wait.is_some() {
                    left.told.note_refusal();
                }
                charges.left.push(left);
            }
            Some(dry) if left.wait.is_some() => {
                charges.would_refuse.push(Arc::clone(&self.name));
                dry.note(&self.name, counted);
            }
            Some(_) => {}
        }
    }

    fn figures(&self) -> LimitFigures {
        let (refused, clients) = match &self.counts {
            Counts::Here(policy) => (policy.told.refusals(), policy.entries()),
            Counts::Together { shared, .. } => (shared.told.refusals(), shared.entries()),
        };
        LimitFigures {
            name: Arc::clone(&self.name),
            everywhere: false,
            by: self.by.clone(),
            per_minute: self.rate.per_minute,
            burst: self.rate.burst,
            cost: self.cost.get(),
            dry_run: self.dry.is_some(),
            shared: matches!(self.counts, Counts::Together { .. }),
            refused,
            would_refuse: self.dry.as_ref().map_or(0, |dry| dry.refusals.load(Ordering::Relaxed)),
            clients,
        }
    }

    fn left(&self, counted: &Counted<'_>, cost: NonZeroU32) -> Left {
        match &self.counts {
            Counts::Here(policy) => policy.charge(self.key(counted), cost),
            Counts::Together { shared, by, begun } => {
                let name =
                    by.get().map_or_else(|| self.own_name(counted), |by| by.name(&self.name, &self.text(counted)));
                let (requests, wait) = match shared.charge(name, cost, begun.elapsed()) {
                    Ok(requests) => (requests, None),
                    Err(wait) => (0, Some(wait)),
                };
                Left { told: Arc::clone(&shared.told), requests, wait }
            }
        }
    }

    fn note(&self, claims: &[Claim], settled: Option<&Settled>) {
        let Counts::Together { shared, begun, .. } = &self.counts else { return };
        if let Some(settled) = settled {
            shared.note_replicas(settled.replicas);
        }
        let now = begun.elapsed();
        for (at, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.limit == self.name) {
            let grant = settled.and_then(|settled| settled.grants.get(at)?.as_ref());
            shared.note(claim, grant, now);
        }
    }

    /// While there is no store to name it.
    fn own_name(&self, counted: &Counted<'_>) -> KeyName {
        let key = self.key(counted).to_be_bytes();
        std::array::from_fn(|at| key[at % 8])
    }

    /// A key in a form that is the same everywhere, each part with its length.
    fn text(&self, counted: &Counted<'_>) -> Vec<u8> {
        let address = address_key(counted.address).to_be_bytes();
        let mut text = Vec::with_capacity(64);
        for subject in &self.by {
            let (sign, part) = match subject {
                Subject::Address => (b'a', &address[..]),
                Subject::Account => counted.account.map_or((b'a', &address[..]), |account| (b'u', account.as_bytes())),
                Subject::Tenant => counted.tenant.map_or((b'a', &address[..]), |tenant| (b't', tenant.as_bytes())),
                Subject::Route => (b'r', counted.route.as_bytes()),
                // No shared limit goes by it.
                Subject::Key => continue,
            };
            text.push(sign);
            text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            text.extend_from_slice(part);
        }
        text
    }

    fn key(&self, counted: &Counted<'_>) -> u64 {
        key(&self.by, counted, &self.keys)
    }
}

/// Whose quota a request is taken from, under a limit that goes by these.
pub(super) fn key(by: &[Subject], counted: &Counted<'_>, keys: &RandomState) -> u64 {
    let mut hasher = keys.build_hasher();
    let address = address_key(counted.address);
    for subject in by {
        match subject {
            Subject::Address => Some(address).hash(&mut hasher),
            Subject::Key => counted.key.ok_or(address).hash(&mut hasher),
            Subject::Account => counted.account.ok_or(address).hash(&mut hasher),
            Subject::Tenant => counted.tenant.ok_or(address).hash(&mut hasher),
            Subject::Route => counted.route.hash(&mut hasher),
        }
    }
    hasher.finish()
}

impl DryRun {
    fn new(name: &str) -> Self {
        let would = counter!("holdfast_edge_limit_would_refuse_total", "limit" => name.to_owned());
        // So that the figure is there before the first one.
        would.increment(0);
        Self {
            would,
            refusals: AtomicU64::new(0),
            begun: Instant::now(),
            told: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }

    fn note(&self, limit: &str, counted: &Counted<'_>) {
        self.would.increment(1);
        self.refusals.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let told = self.told.load(Ordering::Relaxed);
        let due = told == 0 || now.saturating_sub(told) >= u64::try_from(A_LINE_IN.as_millis()).unwrap_or(u64::MAX);
        if !due || self.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = self.untold.swap(0, Ordering::Relaxed);
        tracing::info!(limit, route = counted.route, address = %counted.address, account = counted.account,
            tenant = counted.tenant, unlogged = before, "a limit in a dry run would have refused");
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;
    use crate::limits::config::tests::limit;

    fn counted(address: [u8; 4]) -> Counted<'static> {
        Counted { address: address.into(), key: None, account: None, tenant: None, route: "r" }
    }

    fn refused(limit: &Named, counted: &Counted<'_>, cost: u32) -> bool {
        let mut charges = Charges::default();
        limit.charge(counted, NonZeroU32::new(cost), &mut charges);
        charges.refused()
    }

    fn named(limit: &NamedLimit) -> Named {
        Named::new(limit, 1000).unwrap()
    }

    #[test]
    fn each_combination_has_a_quota_of_its_own() {
        let limit = named(&limit("x", &[Subject::Account, Subject::Route], 1));
        let of = |account, route| Counted { account: Some(account), route, ..counted([1; 4]) };

        assert!(!refused(&limit, &of("ali", "r"), 1) && refused(&limit, &of("ali", "r"), 1));
        assert!(!refused(&limit, &of("ali", "s"), 1));
        assert!(!refused(&limit, &of("eve", "r"), 1));
    }

    #[test]
    fn who_is_nobody_counts_by_address() {
        for by in [Subject::Account, Subject::Tenant, Subject::Key] {
            let limit = named(&limit("x", &[by], 1));

            assert!(!refused(&limit, &counted([1; 4]), 1) && refused(&limit, &counted([1; 4]), 1));
            assert!(!refused(&limit, &counted([2; 4]), 1));
        }
    }

    #[test]
    fn a_dear_request_takes_more_and_is_refused_whole() {
        let limit = named(&NamedLimit { cost: NonZeroU32::new(2).unwrap(), ..limit("x", &[Subject::Address], 5) });
        let me = counted([1; 4]);

        assert!(!refused(&limit, &me, 0), "its own cost");
        assert!(refused(&limit, &me, 4));
        assert!(!refused(&limit, &me, 3));
        assert!(refused(&limit, &me, 1));
    }

    #[test]
    fn a_dry_run_refuses_nobody_and_tells_clients_nothing() {
        let limit = named(&NamedLimit { dry_run: true, ..limit("x", &[Subject::Address], 1) });
        let mut charges = Charges::default();

        for _ in 0..5 {
            limit.charge(&counted([1; 4]), None, &mut charges);
        }

        assert!(charges.left.is_empty());
        assert_eq!(charges.would_refuse.len(), 4);
        assert_eq!((limit.figures().refused, limit.figures().would_refuse), (0, 4));
        assert_eq!(limit.dry.unwrap().untold.load(Ordering::Relaxed), 3, "one line for four");
    }

    #[test]
    fn of_64_that_race_exactly_the_burst_is_let_in() {
        let limit = named(&limit("x", &[Subject::Address], 100));
        let gate = Barrier::new(64);

        let admitted: usize = thread::scope(|scope| {
            let race = || {
                gate.wait();
                (0..10).filter(|_| !refused(&limit, &counted([1; 4]), 1)).count()
            };
            let racers: Vec<_> = (0..64).map(|_| scope.spawn(race)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });

        assert_eq!(admitted, 100);
    }

    #[test]
    fn a_million_strangers_take_no_more_memory_than_a_thousand() {
        let limit = named(&limit("x", &[Subject::Address], 1));
        let Counts::Here(policy) = &limit.counts else { panic!("it counts elsewhere") };
        let one = NonZeroU32::MIN;
        let mut number = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..1_000_000 {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            policy.charge(number, one);
        }

        assert!(policy.entries() <= 1000, "{}", policy.entries());
    }
}
