//! A year of ten thousand names under a virtual clock: nothing expires, no limit is broken, and the same seed gives the
//! same trace.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{CertificateStore, Clock, Name};
use fake_ca::{CaConfig, ManualClock, Script, SeededRandom, Trace, WorldValidator};

use crate::world::{World, name};

struct Year {
    names: u64,
    days: i64,
    seed: u64,
    /// Names that move away, on a day of their own.
    leaving: u64,
}

struct Lived {
    trace: Trace,
    world: World,
    left: HashMap<Name, DateTime<Utc>>,
}

/// The clock stops at every fifth minute in which something is due.
const STOP: i64 = 300;

fn next_stop(at: DateTime<Utc>) -> DateTime<Utc> {
    let over = at.timestamp().rem_euclid(STOP);
    at + TimeDelta::seconds(STOP - over)
}

impl Year {
    async fn live(&self) -> Lived {
        let clock = Arc::new(ManualClock::default());
        let lifetimes = vec![TimeDelta::days(90), TimeDelta::days(45), TimeDelta::days(6)];
        let ari = Some(Duration::from_hours(24));
        let config = CaConfig { seed: self.seed, lifetimes, ari, ..CaConfig::default() };
        let world = World::on(Arc::clone(&clock) as Arc<dyn Clock>, config, Script::random(self.seed, 5));
        let validator = Arc::new(WorldValidator::default());
        let manager = world.logical_manager("one", Arc::clone(&validator) as Arc<dyn fake_ca::Validator>);
        for n in 0..self.names {
            world.want(&format!("www.d{n}.com"), &format!("tenant{}", n % 100)).await;
        }
        let begin = clock.now();
        let random = SeededRandom::new(self.seed);
        let days = u64::try_from(self.days).unwrap();
        let mut leaving: Vec<_> = (0..self.leaving)
            .map(|n| {
                let day = 30 + random.below(days - 40);
                (begin + TimeDelta::days(i64::try_from(day).unwrap()), name(&format!("www.d{n}.com")))
            })
            .collect();
        leaving.sort();
        let mut left = HashMap::new();
        let end = begin + TimeDelta::days(self.days);
        while clock.now() < end {
            let now = clock.now();
            while leaving.first().is_some_and(|(at, _)| *at <= now) {
                let (_, gone) = leaving.remove(0);
                validator.moves_away(gone.host());
                world.store.expect_to_expire(&gone);
                left.insert(gone, now);
            }
            let tick = manager.tick().await;
            if let Some((expires, name)) = world.store.first_to_expire() {
                assert!(expires > now, "{name} expired at {expires}");
            }
            let next = [world.store.next_due(now), tick.blocked_until].into_iter().flatten().min();
            clock.set(next_stop(next.unwrap_or(end)));
        }
        Lived { trace: world.ca.trace(), world, left }
    }
}

#[tokio::test]
async fn ten_thousand_names_live_a_year_and_none_expires() {
    let year = Year { names: 10_000, days: 365, seed: 1, leaving: 100 };

    let lived = year.live().await;

    assert!(lived.world.ca.breaches().is_empty(), "{:?}", &lived.world.ca.breaches()[..1]);
    for n in 100..10_000 {
        let record = lived.world.record(&name(&format!("www.d{n}.com"))).await;
        let held = record.progress.held.expect("every name has its certificate");
        assert!(held.not_after > lived.world.clock.now(), "{}", record.name);
    }
    assert!(lived.trace.certificates > 250_000, "{:?}", lived.trace);
    assert_eq!(lived.left.len(), 100);
    for (gone, since) in &lived.left {
        let failed = lived.world.ca.failed_validations(gone.host());
        assert!(failed.iter().all(|at| at >= since));
        assert!(!failed.is_empty() || *since > lived.world.clock.now() - TimeDelta::days(65), "{gone}");
        let apart = failed.windows(2).all(|pair| pair[1] - pair[0] >= TimeDelta::days(1));
        assert!(apart, "{gone}: more than one failed validation in a day: {failed:?}");
    }
    let gone = lived.left.keys().next().unwrap();
    let told = lived.world.store.timeline(gone, 50).await.unwrap();
    assert!(!told.is_empty());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_trace() {
    let live = async |seed| Year { names: 500, days: 120, seed, leaving: 20 }.live().await.trace;

    let first = live(3).await;

    assert_eq!(first, live(3).await);
    assert_ne!(first, live(4).await);
}
