//! Failed attempts slow down the next ones: for the account that they aim at, and for the address that they come from.
//!
//! An attempt counts as failed from its beginning and is taken back when it succeeds or can't be decided, so that many
//! at once get no further than one after the other. Nothing is ever locked: the wait ends, at the latest after 15
//! minutes, and the memory is bounded.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Caller, Clock, TenantId};
use quick_cache::sync::Cache;

use crate::config::IdentityConfig;
use crate::error::Error;

/// Failures that cost nothing, for an account.
const FREE: u32 = 5;
/// Failures that cost nothing, for an address: many people may share it.
const FREE_FOR_ADDRESS: u32 = 20;
/// The longest wait.
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// When failures are forgotten.
const MEMORY: TimeDelta = TimeDelta::hours(1);

/// What an attempt aims at or comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// Whether it exists or not.
    Account(TenantId, Box<str>),
    Address(IpAddr),
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    last: DateTime<Utc>,
}

type Shared = Arc<Mutex<State>>;

/// The memory of failures.
pub(crate) struct Slowdowns {
    enabled: bool,
    states: Cache<Key, Shared>,
    clock: Clock,
}

/// An attempt that has begun. Dropped without a word it counts as none.
pub(crate) struct Attempt {
    account: Option<Shared>,
    address: Option<Shared>,
}

impl Slowdowns {
    /// An empty memory.
    pub(crate) fn new(config: &IdentityConfig, clock: Clock) -> Self {
        Self { enabled: config.signin_limits, states: Cache::new(config.signin_limit_entries), clock }
    }

    /// Begins an attempt on an account (any text that names it) from the caller's address.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] with the time to wait.
    pub(crate) fn begin(&self, caller: &Caller, account: Option<&str>) -> Result<Attempt, Error> {
        let mut attempt = Attempt { account: None, address: None };
        if !self.enabled {
            return Ok(attempt);
        }
        let now = self.clock.now();
        if let Some(account) = account {
            let state = self.state(&Key::Account(caller.tenant, account.into()));
            count(&state, FREE, now)?;
            attempt.account = Some(state);
        }
        if let Some(address) = caller.request.address {
            let state = self.state(&Key::Address(network(address)));
            count(&state, FREE_FOR_ADDRESS, now)?;
            attempt.address = Some(state);
        }
        Ok(attempt)
    }

    fn state(&self, key: &Key) -> Shared {
        let made = self.states.get_or_insert_with(key, || Ok::<_, std::convert::Infallible>(Shared::default()));
        made.unwrap_or_default()
    }
}

impl Attempt {
    /// It failed.
    pub(crate) fn failed(mut self) {
        self.account = None;
        self.address = None;
    }

    /// It succeeded: the account's failures are forgotten, the address keeps the others.
    pub(crate) fn succeeded(mut self) {
        if let Some(account) = self.account.take() {
            lock(&account).failures = 0;
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        for state in [self.account.take(), self.address.take()].into_iter().flatten() {
            let mut state = lock(&state);
            state.failures = state.failures.saturating_sub(1);
        }
    }
}

fn lock(state: &Shared) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(state: &Shared, free: u32, now: DateTime<Utc>) -> Result<(), Error> {
    let mut state = lock(state);
    if now - state.last > MEMORY {
        state.failures = 0;
    }
    let left = state.last + wait(state.failures, free) - now;
    if state.failures >= free && left > TimeDelta::zero() {
        let left = left.to_std().unwrap_or(Duration::from_secs(1));
        return Err(Error::TooManyAttempts(left));
    }
    state.failures = state.failures.saturating_add(1);
    state.last = now;
    Ok(())
}

/// 1, 2, 4 … seconds after the free failures are used up.
fn wait(failures: u32, free: u32) -> TimeDelta {
    match failures.checked_sub(free) {
        None => TimeDelta::zero(),
        Some(over) => TimeDelta::seconds(1i64 << over.min(10)).min(LONGEST),
    }
}

/// One IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() & (u128::MAX << 64)).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use kernel::{RequestContext, SYSTEM_TENANT};

    use super::*;

    fn slowdowns(clock: &Clock) -> Slowdowns {
        Slowdowns::new(&IdentityConfig::quick(), clock.clone())
    }

    fn from(address: &str) -> Caller {
        let mut request = RequestContext::new("test", Duration::from_secs(60));
        request.address = Some(address.parse().unwrap());
        Caller::anonymous(SYSTEM_TENANT, request)
    }

    fn waits(slowdowns: &Slowdowns, caller: &Caller, account: &str) -> Option<u64> {
        match slowdowns.begin(caller, Some(account)) {
            Ok(attempt) => {
                attempt.failed();
                None
            }
            Err(Error::TooManyAttempts(wait)) => u64::try_from(wait.as_millis().div_ceil(1000)).ok(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_wait_doubles_after_five_failures_and_never_exceeds_a_quarter_of_an_hour() {
        let clock = Clock::default();
        let (slow, caller) = (slowdowns(&clock), from("192.0.2.1"));
        for _ in 0..5 {
            assert_eq!(waits(&slow, &caller, "ada"), None);
        }

        let mut seen = Vec::new();
        for number in 0..13 {
            let caller = from(&format!("198.51.100.{number}"));
            let wait = waits(&slow, &caller, "ada").unwrap();
            clock.shift(TimeDelta::seconds(i64::try_from(wait).unwrap()));
            assert_eq!(waits(&slow, &caller, "ada"), None);
            seen.push(wait);
        }

        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }

    #[test]
    fn a_success_clears_the_account_and_undecided_attempts_count_as_none() {
        let clock = Clock::default();
        let (slow, caller) = (slowdowns(&clock), from("192.0.2.1"));
        for _ in 0..4 {
            assert_eq!(waits(&slow, &caller, "ada"), None);
        }
        drop(slow.begin(&caller, Some("ada")).unwrap());

        slow.begin(&caller, Some("ada")).unwrap().succeeded();

        for _ in 0..5 {
            assert_eq!(waits(&slow, &caller, "ada"), None);
        }
        assert_eq!(waits(&slow, &caller, "ada"), Some(1));
    }

    #[test]
    fn attempts_at_once_get_no_further_than_one_after_the_other() {
        let clock = Clock::default();
        let (slow, caller) = (slowdowns(&clock), from("192.0.2.1"));

        let begun: Vec<_> = (0..64).filter_map(|_| slow.begin(&caller, Some("ada")).ok()).collect();

        assert_eq!(begun.len(), 5);
    }

    #[test]
    fn an_address_is_slowed_over_many_accounts_and_an_ipv6_network_counts_as_one() {
        let clock = Clock::default();
        let slow = slowdowns(&clock);
        for number in 0..20 {
            let caller = from(&format!("2001:db8:1:2::{number:x}"));
            assert_eq!(waits(&slow, &caller, &format!("account {number}")), None);
        }

        assert_eq!(waits(&slow, &from("2001:db8:1:2:ffff::1"), "another"), Some(1));
        assert_eq!(waits(&slow, &from("2001:db8:1:3::1"), "yet another"), None);
    }
}
