//! Limits that routes name, several at once.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{Counter, counter};

use super::{
    Charges, Rate, address_key,
    config::{NamedLimit, Subject},
    policy::Policy,
};

/// How often a limit that only counts writes a line.
const A_LINE_IN: Duration = Duration::from_secs(10);

/// All of them by name.
pub(crate) struct NamedLimits(BTreeMap<String, Arc<Named>>);

/// One of them.
pub(crate) struct Named {
    name: String,
    by: Vec<Subject>,
    cost: NonZeroU32,
    policy: Arc<Policy>,
    keys: RandomState,
    dry: Option<DryRun>,
}

/// What a limit would have done.
struct DryRun {
    would: Counter,
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
        Self(limits.iter().filter_map(made).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Named>> {
        self.0.get(name).cloned()
    }

    /// Brings those figures up to date that are not counted as they change.
    pub(crate) fn note_figures(&self) {
        self.0.values().for_each(|limit| limit.policy.note_clients());
    }
}

impl Named {
    fn new(limit: &NamedLimit, max_entries: usize) -> Option<Self> {
        let rate = Rate { per_minute: limit.per_minute.get(), burst: limit.burst.get() };
        Some(Self {
            name: limit.name.clone(),
            by: limit.by.clone(),
            cost: limit.cost,
            policy: Policy::new(&limit.name, rate, max_entries)?,
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
        let left = self.policy.charge(self.key(counted), cost.unwrap_or(self.cost));
        match &self.dry {
            None => {
                if left.wait.is_some() {
                    self.policy.note_refusal();
                }
                charges.0.push(left);
            }
            Some(dry) if left.wait.is_some() => dry.note(&self.name, counted),
            Some(_) => {}
        }
    }

    fn key(&self, counted: &Counted<'_>) -> u64 {
        let mut hasher = self.keys.build_hasher();
        let address = address_key(counted.address);
        for subject in &self.by {
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
}

impl DryRun {
    fn new(name: &str) -> Self {
        let would = counter!("holdfast_edge_limit_would_refuse_total", "limit" => name.to_owned());
        // So that the figure is there before the first one.
        would.increment(0);
        Self { would, begun: Instant::now(), told: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    fn note(&self, limit: &str, counted: &Counted<'_>) {
        self.would.increment(1);
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

        assert!(charges.0.is_empty());
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
        let one = NonZeroU32::MIN;
        let mut number = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..1_000_000 {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            limit.policy.charge(number, one);
        }

        assert!(limit.policy.entries() <= 1000, "{}", limit.policy.entries());
    }
}
