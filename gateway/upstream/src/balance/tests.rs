use proptest::{collection::vec, prelude::*};

use super::{Balancer, Field, Key, identity};
use crate::config::{Balance, ConsistentHash, HashBy};

#[derive(Clone, Debug)]
struct Spot {
    eligible: bool,
    share: f64,
    in_flight: u32,
    latency: f64,
    identity: u64,
}

impl Field for Vec<Spot> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }
    fn eligible(&self, index: usize) -> bool {
        self[index].eligible
    }
    fn share(&self, index: usize) -> f64 {
        self[index].share
    }
    fn in_flight(&self, index: usize) -> u32 {
        self[index].in_flight
    }
    fn latency(&self, index: usize) -> f64 {
        self[index].latency
    }
    fn identity(&self, index: usize) -> u64 {
        self[index].identity
    }
}

fn spots(shares: &[f64]) -> Vec<Spot> {
    let spot = |(index, share): (usize, &f64)| Spot {
        eligible: true,
        share: *share,
        in_flight: 0,
        latency: 0.001,
        identity: identity(&format!("http://target-{index}")),
    };
    shares.iter().enumerate().map(spot).collect()
}

fn hashed(load_factor: f64) -> Balance {
    Balance::ConsistentHash(ConsistentHash { by: HashBy::ClientAddress, load_factor })
}

fn all() -> [Balance; 4] {
    [Balance::P2cEwma, Balance::LeastRequests, Balance::RoundRobin, hashed(1.25)]
}

fn key(number: usize) -> Key {
    Key::of(format!("client-{number}").as_bytes())
}

fn counts(balance: &Balance, field: &Vec<Spot>, picks: usize) -> Vec<usize> {
    let balancer = Balancer::new(7, field.len());
    let mut counts = vec![0; field.len()];
    for number in 0..picks {
        counts[balancer.pick(balance, field, Some(key(number))).unwrap()] += 1;
    }
    counts
}

#[test]
fn without_load_each_gets_its_share() {
    let field = spots(&[1.0, 0.5, 0.25, 0.25]);
    for balance in all() {
        let counts = counts(&balance, &field, 20_000);
        for (count, spot) in counts.iter().zip(&field) {
            let expected = 10_000.0 * spot.share;
            let off = (f64::from(u32::try_from(*count).unwrap()) - expected).abs() / expected;
            assert!(off < 0.1, "{balance:?}: {counts:?}");
        }
    }
}

#[test]
fn round_robin_is_smooth() {
    let field = spots(&[1.0, 0.2, 0.2]);
    let balancer = Balancer::new(0, 3);
    let turns: Vec<_> = (0..7).map(|_| balancer.pick(&Balance::RoundRobin, &field, None).unwrap()).collect();
    assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn a_slow_or_crowded_target_is_avoided() {
    for (latency, in_flight) in [(1.0, 0), (0.001, 50)] {
        let mut field = spots(&[1.0; 5]);
        field[3].latency = latency;
        field[3].in_flight = in_flight;
        assert_eq!(counts(&Balance::P2cEwma, &field, 5000)[3], 0);
    }
    let mut field = spots(&[1.0; 5]);
    field[3].in_flight = 1;
    assert_eq!(counts(&Balance::LeastRequests, &field, 5000)[3], 0);
}

#[test]
fn a_hot_key_spills_over_at_the_bound() {
    let balance = hashed(1.25);
    let balancer = Balancer::new(0, 5);
    let mut field = spots(&[1.0; 5]);
    for _ in 0..1000 {
        let picked = balancer.pick(&balance, &field, Some(key(1))).unwrap();
        field[picked].in_flight += 1;
    }
    let most = field.iter().map(|spot| spot.in_flight).max().unwrap();
    assert!(most <= 251, "{field:?}");
}

proptest! {
    #[test]
    fn one_is_picked_exactly_if_one_is_eligible(
        targets in vec((any::<bool>(), 1_u32..100, 0_u32..500, 0.0..10.0_f64), 1..40),
        seed: u64,
        number: usize,
    ) {
        let heaviest = targets.iter().map(|target| target.1).max().unwrap();
        let field: Vec<Spot> = targets.iter().enumerate().map(|(index, (eligible, weight, in_flight, latency))| Spot {
            eligible: *eligible,
            share: f64::from(*weight) / f64::from(heaviest),
            in_flight: *in_flight,
            latency: *latency,
            identity: identity(&index.to_string()),
        }).collect();
        let balancer = Balancer::new(seed, field.len());
        for balance in all() {
            for key in [None, Some(key(number))] {
                let picked = balancer.pick(&balance, &field, key);
                prop_assert_eq!(picked.is_some(), field.iter().any(|spot| spot.eligible));
                prop_assert!(picked.is_none_or(|index| field[index].eligible));
            }
        }
    }

    #[test]
    fn only_the_keys_of_a_lost_target_move(targets in 2_usize..20, lost in 0_usize..20, numbers in vec(any::<usize>(), 1..50)) {
        let lost = lost % targets;
        let field = spots(&vec![1.0; targets]);
        let mut without = field.clone();
        without[lost].eligible = false;
        let balancer = Balancer::new(0, targets);
        for number in numbers {
            let before = balancer.pick(&hashed(10.0), &field, Some(key(number))).unwrap();
            let after = balancer.pick(&hashed(10.0), &without, Some(key(number))).unwrap();
            prop_assert!(before == after || before == lost);
        }
    }
}
