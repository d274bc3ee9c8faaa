//! What a limit would have done to the recent requests: the algorithm in force, replayed by the requests' own times.

use std::{
    collections::HashMap,
    hash::RandomState,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Instant,
};

use governor::clock::FakeRelativeClock;

use super::{
    Subject,
    named::{Counted, key},
    policy::gcra,
};
use crate::journal::Record;

/// A limit that might be.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// As in a [`crate::NamedLimit`]; empty: all requests count together.
    pub by: Vec<Subject>,
    pub per_minute: NonZeroU32,
    pub burst: NonZeroU32,
    /// What a request takes; at most the burst.
    pub cost: NonZeroU32,
}

/// What it would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Requests that were replayed.
    pub requests: u64,
    /// Those of them that would have been refused.
    pub refused: u64,
    /// Clients apart from each other.
    pub clients: u64,
    /// Those of them who would have had a request refused.
    pub clients_refused: u64,
    /// Those with the most refusals, then with the most requests.
    pub top: Vec<Client>,
}

/// One who has a quota of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What tells them from others; an address for those who have no account, tenant or credential.
    pub who: Vec<(Subject, String)>,
    pub requests: u64,
    pub refused: u64,
}

#[derive(Debug)]
struct Tally<'a> {
    first: Counted<'a>,
    requests: u64,
    refused: u64,
}

impl Hypothesis {
    /// Replays these requests, in the order in which they came; tells at most `top` clients. None if the rate is too
    /// high for the algorithm.
    pub fn replay(&self, requests: &[Arc<Record>], top: usize) -> Option<Simulated> {
        let mut requests: Vec<&Record> = requests.iter().map(AsRef::as_ref).collect();
        requests.sort_by_key(|record| record.begun);
        let clock = FakeRelativeClock::default();
        // Room for everybody even if all fall into the same shards.
        let limiter = gcra((self.per_minute, self.burst), requests.len() * 32 + 128, clock.clone())?;
        let keys = RandomState::new();
        let mut tallies: HashMap<u64, Tally<'_>> = HashMap::new();
        let mut now: Option<Instant> = None;
        for record in &requests {
            clock.advance(now.map(|now| record.begun.saturating_duration_since(now)).unwrap_or_default());
            now = Some(record.begun);
            let counted = record.counted();
            let key = key(&self.by, &counted, &keys);
            let allowed = matches!(limiter.check_key_n(&key, self.cost), Ok(Ok(_)));
            let tally = tallies.entry(key).or_insert(Tally { first: counted, requests: 0, refused: 0 });
            tally.requests += 1;
            tally.refused += u64::from(!allowed);
        }
        Some(self.told(requests.len() as u64, tallies.into_values().collect(), top))
    }

    fn told(&self, requests: u64, mut tallies: Vec<Tally<'_>>, top: usize) -> Simulated {
        let hit = tallies.iter().filter(|tally| tally.refused > 0).count() as u64;
        tallies.sort_unstable_by_key(|tally| (std::cmp::Reverse(tally.refused), std::cmp::Reverse(tally.requests)));
        Simulated {
            requests,
            refused: tallies.iter().map(|tally| tally.refused).sum(),
            clients: tallies.len() as u64,
            clients_refused: hit,
            top: tallies.iter().take(top).map(|tally| self.client(tally)).collect(),
        }
    }

    fn client(&self, tally: &Tally<'_>) -> Client {
        let counted = &tally.first;
        let address = || (Subject::Address, network(counted.address));
        let who = |subject: &Subject| match subject {
            Subject::Address => address(),
            Subject::Key => counted.key.map_or_else(address, |key| (Subject::Key, format!("{key:016x}"))),
            Subject::Account => counted.account.map_or_else(address, |account| (Subject::Account, account.to_owned())),
            Subject::Tenant => counted.tenant.map_or_else(address, |tenant| (Subject::Tenant, tenant.to_owned())),
            Subject::Route => (Subject::Route, counted.route.to_owned()),
        };
        Client { who: self.by.iter().map(who).collect(), requests: tally.requests, refused: tally.refused }
    }
}

/// An address as limits see it: a /64 of IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::{Particulars, tests_record};

    fn hypothesis(by: &[Subject], per_minute: u32, burst: u32) -> Hypothesis {
        let number = |number| NonZeroU32::new(number).unwrap();
        Hypothesis { by: by.to_vec(), per_minute: number(per_minute), burst: number(burst), cost: NonZeroU32::MIN }
    }

    /// Requests of an address, each so many milliseconds after a common beginning.
    fn requests(began: Instant, address: [u8; 4], at: &[u64]) -> Vec<Arc<Record>> {
        let made = |at: &u64| {
            let begun = began + Duration::from_millis(*at);
            Arc::new(Record { begun, address: address.into(), ..tests_record(*at) })
        };
        at.iter().map(made).collect()
    }

    #[test]
    fn the_rate_and_the_burst_hold_by_the_requests_own_times() {
        let began = Instant::now();
        let mut all = requests(began, [192, 0, 2, 1], &[3000, 0, 1, 2, 1000, 1001]);
        all.extend(requests(began, [192, 0, 2, 2], &[0]));

        let told = hypothesis(&[Subject::Address], 60, 2).replay(&all, 1).unwrap();

        assert_eq!((told.requests, told.refused, told.clients, told.clients_refused), (7, 2, 2, 1));
        let busiest = Client { who: vec![(Subject::Address, "192.0.2.1".to_owned())], requests: 6, refused: 2 };
        assert_eq!(told.top, [busiest]);
    }

    #[test]
    fn a_dear_request_takes_more() {
        let all = requests(Instant::now(), [192, 0, 2, 1], &[0, 1, 2, 3]);
        let dear = Hypothesis { cost: NonZeroU32::new(2).unwrap(), ..hypothesis(&[Subject::Address], 1, 4) };

        assert_eq!(dear.replay(&all, 5).unwrap().refused, 2);
    }

    #[test]
    fn who_is_nobody_counts_by_address_and_each_combination_has_its_own() {
        let began = Instant::now();
        let ali = Particulars { account: Some("usr_1".into()), operation: Some("/a"), ..Particulars::default() };
        let other = Particulars { operation: Some("/b"), ..ali.clone() };
        let of = |particulars: &Particulars| {
            Arc::new(Record { begun: began, particulars: particulars.clone(), ..tests_record(1) })
        };
        let mut all = vec![of(&ali), of(&ali), of(&other)];
        all.extend(requests(began, [192, 0, 2, 7], &[0, 0]));

        let told = hypothesis(&[Subject::Account, Subject::Route], 1, 1).replay(&all, 10).unwrap();

        assert_eq!((told.clients, told.refused), (3, 2));
        let who = vec![(Subject::Account, "usr_1".to_owned()), (Subject::Route, "/a".to_owned())];
        assert!(told.top.iter().any(|client| client.who == who && client.refused == 1));
        let nobody = (Subject::Address, "192.0.2.7".to_owned());
        assert!(told.top.iter().any(|client| client.who[0] == nobody && client.refused == 1));
        let together = hypothesis(&[], 1, 1).replay(&all, 10).unwrap();
        assert_eq!((together.clients, together.refused), (1, 4), "without a subject all count together");
    }

    #[test]
    fn nothing_replayed_refuses_nothing_and_a_network_is_one_client() {
        assert_eq!(hypothesis(&[Subject::Key], 1, 1).replay(&[], 5).unwrap(), Simulated::default());
        assert_eq!(network("2001:db8:1:2:3::9".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }

    #[test]
    fn what_a_limit_in_force_refuses_its_simulation_refuses_too() {
        use crate::limits::{Rate, policy::Policy};

        let one = NonZeroU32::MIN;
        let policy = Policy::new("x", Rate { per_minute: 1, burst: 37 }, 100).unwrap();
        let refused = (0..100).filter(|_| policy.charge(7, one).wait.is_some()).count() as u64;
        let all = requests(Instant::now(), [192, 0, 2, 1], &[0; 100]);

        assert_eq!(hypothesis(&[Subject::Address], 1, 37).replay(&all, 1).unwrap().refused, refused);
    }
}
