//! Limits that replicas share: each leases a part of the budget of busy keys ahead of time and settles its accounts in
//! the background, so that no request waits for a store.
//!
//! A request takes of what is leased. Where nothing is, it takes of the replica's own share, which is the rate and burst
//! divided by the replicas, and this is told to the store, whose budget it lessens. Once the store has nothing to lease,
//! requests are refused until it has. Without the store each replica has its share, and nothing fails.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;

use super::policy::Told;

/// Names a key at all replicas alike.
pub type KeyName = [u8; 16];

/// The budget that replicas share.
pub trait Allowances: Send + Sync + 'static {
    /// The name of a key, the same at all replicas. It runs on the way of a request: no store, no await.
    fn name(&self, limit: &str, key: &[u8]) -> KeyName;

    /// Settles accounts, in the background. Tells that this replica is there, even without a claim.
    fn settle<'a>(&'a self, claims: &'a [Claim]) -> BoxFuture<'a, Option<Settled>>;
}

/// One key's account with the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub limit: Arc<str>,
    pub key: KeyName,
    pub per_minute: NonZeroU32,
    pub burst: NonZeroU32,
    /// What was taken without a lease since the last time; below 0 is given back.
    pub spent: i64,
    /// What is wanted.
    pub want: u32,
}

/// What the store says, claim by claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// None where an account could not be settled this time.
    pub grants: Vec<Option<Grant>>,
    /// How many there are, this one included.
    pub replicas: u32,
}

/// A lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub tokens: u32,
    /// Until there is more; zero if there is now.
    pub wait: Duration,
}

/// Leases that are not used go back after this.
const LEASE: Duration = Duration::from_secs(5);
/// How many rounds of settling a lease should last, at the pace of the last one.
const ROUNDS: u32 = 4;
/// Accounts that are settled at once; the others wait for the next time.
pub(crate) const MOST_CLAIMS: usize = 500;
const SHARDS: usize = 32;

/// One limit's accounts at this replica.
pub(crate) struct Shared {
    pub(super) told: Arc<Told>,
    per_minute: NonZeroU32,
    burst: NonZeroU32,
    shards: Box<[Mutex<HashMap<KeyName, Account>>]>,
    hasher: RandomState,
    per_shard: usize,
    replicas: AtomicU32,
}

/// Times are since the limits were made.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    leased: u32,
    leased_until: Duration,
    /// The store has nothing until then.
    closed_until: Duration,
    /// When the replica's own share would be whole again.
    whole_at: Duration,
    spent: i64,
    /// Since the last settling.
    used: u32,
    last_used: Duration,
}

impl Shared {
    pub(super) fn new(told: Arc<Told>, per_minute: NonZeroU32, burst: NonZeroU32, max_entries: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let per_shard = (max_entries / SHARDS).max(4);
        let replicas = AtomicU32::new(1);
        Self { told, per_minute, burst, shards, hasher: RandomState::new(), per_shard, replicas }
    }

    /// Takes so much; what is left, or for how long there is too little.
    pub(super) fn charge(&self, key: KeyName, cost: NonZeroU32, now: Duration) -> Result<u32, Duration> {
        let (interval, share) = self.share(cost);
        let mut shard = self.shard(&key);
        if shard.len() >= self.per_shard && !shard.contains_key(&key) {
            forget_quarter(&mut shard);
        }
        shard.entry(key).or_default().take(cost.get(), now, (interval, share))
    }

    /// The replica's own share: what one token takes to come back, and how many there may be.
    fn share(&self, cost: NonZeroU32) -> (Duration, u32) {
        let replicas = self.replicas.load(Ordering::Relaxed).max(1);
        let interval = Duration::from_mins(1) / self.per_minute.get() * replicas;
        (interval, (self.burst.get() / replicas).max(cost.get()))
    }

    /// Adds what is to be settled, as far as there is room.
    pub(super) fn claims(&self, now: Duration, claims: &mut Vec<Claim>) {
        let most = self.burst.get() / self.replicas.load(Ordering::Relaxed).max(1);
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, account) in shard.iter_mut() {
                if claims.len() >= MOST_CLAIMS {
                    return;
                }
                if let Some((spent, want)) = account.claim(now, most.max(1)) {
                    let (limit, key) = (Arc::clone(&self.told.name), *key);
                    claims.push(Claim { limit, key, per_minute: self.per_minute, burst: self.burst, spent, want });
                }
            }
        }
    }

    /// Notes what came of a claim; `None`: nothing, it is to be settled another time.
    pub(super) fn note(&self, claim: &Claim, grant: Option<&Grant>, now: Duration) {
        let mut shard = self.shard(&claim.key);
        let Some(account) = shard.get_mut(&claim.key) else { return };
        match grant {
            None => {
                let burst = i64::from(self.burst.get());
                account.spent = account.spent.saturating_add(claim.spent).clamp(-burst, burst);
            }
            Some(grant) => {
                account.leased = account.leased.saturating_add(grant.tokens);
                account.leased_until = now + LEASE;
                let empty = grant.tokens == 0 && claim.want > 0;
                account.closed_until = if empty { now + grant.wait } else { Duration::ZERO };
            }
        }
    }

    pub(super) fn note_replicas(&self, replicas: u32) {
        self.replicas.store(replicas.max(1), Ordering::Relaxed);
    }

    pub(super) fn entries(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn shard(&self, key: &KeyName) -> MutexGuard<'_, HashMap<KeyName, Account>> {
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or_default() % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn take(&mut self, cost: u32, now: Duration, (interval, share): (Duration, u32)) -> Result<u32, Duration> {
        (self.used, self.last_used) = (self.used.saturating_add(cost), now);
        self.give_back_late(now);
        if let Some(left) = self.leased.checked_sub(cost) {
            self.leased = left;
            return Ok(left);
        }
        if now < self.closed_until {
            return Err(self.closed_until.saturating_sub(now));
        }
        let whole_at = self.whole_at.max(now) + interval * cost;
        let latest = now + interval * share;
        if whole_at > latest {
            return Err(whole_at.saturating_sub(latest));
        }
        self.whole_at = whole_at;
        self.spent += i64::from(cost);
        let left = latest.saturating_sub(whole_at).as_nanos() / interval.as_nanos().max(1);
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }

    fn give_back_late(&mut self, now: Duration) {
        if now >= self.leased_until {
            self.spent -= i64::from(std::mem::take(&mut self.leased));
        }
    }

    /// What to tell the store and to ask of it; none if there is nothing to say.
    fn claim(&mut self, now: Duration, most: u32) -> Option<(i64, u32)> {
        self.give_back_late(now);
        let used = std::mem::take(&mut self.used);
        let want = if used > 0 && now >= self.closed_until {
            used.saturating_mul(ROUNDS).min(most).saturating_sub(self.leased)
        } else {
            0
        };
        let spent = std::mem::take(&mut self.spent);
        (want > 0 || spent != 0).then_some((spent, want))
    }
}

/// Forgets those that were used least lately.
fn forget_quarter(shard: &mut HashMap<KeyName, Account>) {
    let mut times: Vec<Duration> = shard.values().map(|account| account.last_used).collect();
    let quarter = times.len() / 4;
    let (_, bound, _) = times.select_nth_unstable(quarter);
    let bound = *bound;
    let mut excess = quarter + 1;
    shard.retain(|_, account| {
        let goes = account.last_used <= bound && excess > 0;
        excess -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyName = [7; 16];
    const TICK: Duration = Duration::from_millis(200);

    fn shared(per_minute: u32, burst: u32) -> Shared {
        let (per_minute, burst) = (NonZeroU32::new(per_minute).unwrap(), NonZeroU32::new(burst).unwrap());
        let told = Told::new("x", per_minute, burst).unwrap();
        Shared::new(Arc::new(told), per_minute, burst, 1000)
    }

    /// The store's rule in memory: one bucket.
    #[derive(Default)]
    struct Budget {
        whole_at: Duration,
    }

    impl Budget {
        fn settle(&mut self, claim: &Claim, now: Duration) -> Grant {
            let interval = Duration::from_mins(1) / claim.per_minute.get();
            let amount = interval * u32::try_from(claim.spent.unsigned_abs()).unwrap();
            self.whole_at = self.whole_at.max(now);
            self.whole_at = if claim.spent < 0 { self.whole_at.saturating_sub(amount) } else { self.whole_at + amount };
            let latest = now + interval * claim.burst.get();
            let room = latest.saturating_sub(self.whole_at).as_nanos() / interval.as_nanos();
            let tokens = u32::try_from(room).unwrap().min(claim.want);
            self.whole_at += interval * tokens;
            Grant { tokens, wait: (self.whole_at + interval).saturating_sub(latest) }
        }
    }

    /// What replicas admit of a flood in so many ticks; without a budget the store is away.
    fn flood(replicas: &[Shared], mut budget: Option<Budget>, ticks: u32) -> u32 {
        let mut admitted = 0;
        for tick in 0..ticks {
            let now = TICK * tick;
            for replica in replicas {
                admitted += (0..50).filter(|_| replica.charge(KEY, NonZeroU32::MIN, now).is_ok()).count();
            }
            for replica in replicas {
                let mut claims = Vec::new();
                replica.claims(now, &mut claims);
                for claim in &claims {
                    let grant = budget.as_mut().map(|budget| budget.settle(claim, now));
                    replica.note(claim, grant.as_ref(), now);
                }
                replica.note_replicas(4);
            }
        }
        u32::try_from(admitted).unwrap()
    }

    #[test]
    fn four_replicas_let_pass_what_one_would() {
        let replicas: Vec<Shared> = (0..4).map(|_| shared(600, 40)).collect();
        replicas.iter().for_each(|replica| replica.note_replicas(4));

        let admitted = flood(&replicas, Some(Budget::default()), 5 * 60);

        // 600 in the minute and a burst of 40; at the beginning each replica may spend its share before it is heard.
        assert!((600..=720).contains(&admitted), "{admitted}");
    }

    #[test]
    fn without_the_store_each_has_its_share() {
        let replicas: Vec<Shared> = (0..4).map(|_| shared(600, 40)).collect();
        replicas.iter().for_each(|replica| replica.note_replicas(4));

        let admitted = flood(&replicas, None, 5 * 60);

        assert!((600..=640).contains(&admitted), "{admitted}");
    }

    #[test]
    fn one_busy_replica_gets_more_than_its_share() {
        let replicas: Vec<Shared> = (0..1).map(|_| shared(600, 40)).collect();
        replicas[0].note_replicas(4);

        let admitted = flood(&replicas, Some(Budget::default()), 5 * 60);

        assert!((550..=720).contains(&admitted), "{admitted}");
    }

    #[test]
    fn what_is_not_used_goes_back() {
        let (limit, mut budget) = (shared(1, 10), Budget::default());
        assert!(limit.charge(KEY, NonZeroU32::MIN, Duration::ZERO).is_ok());
        let mut claims = Vec::new();
        limit.claims(Duration::ZERO, &mut claims);
        assert_eq!((claims[0].spent, claims[0].want), (1, 4));
        let grant = budget.settle(&claims[0], Duration::ZERO);
        limit.note(&claims[0], Some(&grant), Duration::ZERO);

        let mut later = Vec::new();
        limit.claims(LEASE, &mut later);

        assert_eq!((later[0].spent, later[0].want), (-4, 0));
    }

    #[test]
    fn accounts_are_bounded() {
        let limit = shared(60, 10);
        for number in 0..100_000_u128 {
            assert!(limit.charge(number.to_be_bytes(), NonZeroU32::MIN, Duration::ZERO).is_ok());
        }

        assert!(limit.entries() <= 1000, "{}", limit.entries());
    }
}
