//! Three replicas; the first dies at each of its steps. Another goes on within the lease, and there is one order.

use std::sync::Arc;

use chrono::TimeDelta;
use edge_certificates::{Authority, Clock, Manager, Name};
use fake_ca::{CaConfig, Doomed, DoomedCa, DoomedStore, ManualClock, Moment, Script, WorldValidator};

use crate::world::{World, sim_keys};

struct Replicas {
    world: World,
    clock: Arc<ManualClock>,
    ca: Arc<dyn Authority>,
}

impl Replicas {
    fn new(reuse_orders: bool) -> Self {
        let clock = Arc::new(ManualClock::default());
        let config = CaConfig { reuse_orders, ..CaConfig::default() };
        let world = World::on(Arc::clone(&clock) as Arc<dyn Clock>, config, Script::default());
        let ca = world.logical(Arc::new(WorldValidator::default()));
        Self { world, clock, ca }
    }

    fn replica(&self, holder: &str, moment: Moment) -> (Manager, Arc<Doomed>) {
        let doomed = Doomed::new(moment);
        let store = Arc::new(DoomedStore(self.world.dyn_store(), Arc::clone(&doomed)));
        let ca: Arc<dyn Authority> = Arc::new(DoomedCa(Arc::clone(&self.ca), Arc::clone(&doomed)));
        (self.world.manager(holder, store, vec![("fake", ca)], sim_keys(), None), doomed)
    }

    async fn holds(&self, name: &Name) -> bool {
        self.world.record(name).await.progress.held.is_some()
    }

    /// Runs a replica until it dies (true) or has the certificate (false).
    async fn dies(&self, name: &Name, moment: Moment) -> bool {
        let (replica, doomed) = self.replica("first", moment);
        while !self.holds(name).await {
            tokio::select! {
                biased;
                () = doomed.reached.notified() => return true,
                _ = replica.tick() => self.clock.advance(TimeDelta::seconds(1)),
            }
        }
        false
    }

    /// Two others go on; answers the seconds until they have it.
    async fn others(&self, name: &Name) -> i64 {
        let (second, _) = self.replica("second", Moment::Never);
        let (third, _) = self.replica("third", Moment::Never);
        let from = self.clock.now();
        while !self.holds(name).await && self.clock.now() - from < TimeDelta::hours(2) {
            tokio::join!(second.tick(), third.tick());
            self.clock.advance(TimeDelta::seconds(1));
        }
        (self.clock.now() - from).num_seconds()
    }
}

/// The most calls of a replica for one certificate.
const CALLS: u64 = 200;

#[tokio::test]
async fn a_replica_killed_at_any_step_is_taken_over_with_the_same_order() {
    let mut deaths = 0;
    for call in 0..CALLS {
        for moment in [Moment::BeforeCall(call), Moment::AfterCall(call)] {
            let replicas = Replicas::new(true);
            let name = replicas.world.want("a.example.com", "one").await;
            if replicas.dies(&name, moment).await {
                deaths += 1;
            }
            let seconds = replicas.others(&name).await;

            assert!(replicas.holds(&name).await, "{moment:?}: {:?}", replicas.world.record(&name).await);
            let lease = i64::try_from(replicas.world.settings.lease.as_secs()).unwrap();
            assert!(seconds <= lease + 15, "{moment:?}: {seconds} s");
            let trace = replicas.world.ca.trace();
            assert_eq!((trace.orders, trace.certificates), (1, 1), "{moment:?}");
        }
    }
    assert!(deaths > 40, "{deaths} deaths are too few to have met every step");
}

#[tokio::test]
async fn a_ca_that_does_not_give_the_open_order_again_costs_one_order_more_and_no_certificate() {
    let mut most = 0;
    for call in 0..CALLS / 2 {
        let replicas = Replicas::new(false);
        let name = replicas.world.want("a.example.com", "one").await;
        replicas.dies(&name, Moment::AfterCall(call)).await;
        replicas.others(&name).await;

        let trace = replicas.world.ca.trace();
        assert_eq!(trace.certificates, 1, "{call}");
        most = most.max(trace.orders);
    }
    assert_eq!(most, 2, "only the death between the CA's answer and our write costs an order");
}

#[tokio::test]
async fn a_replica_that_was_only_slow_writes_nothing_after_its_lease() {
    let replicas = Replicas::new(true);
    let name = replicas.world.want("a.example.com", "one").await;
    let store = replicas.world.dyn_store();
    let length = replicas.world.settings.lease;
    let slow = store.lease(name.as_str(), "slow", replicas.clock.now(), length).await.unwrap().unwrap();
    let before = replicas.world.record(&name).await;
    replicas.clock.advance(TimeDelta::minutes(2));
    replicas.others(&name).await;
    let after = replicas.world.record(&name).await;

    let late = edge_certificates::Save {
        progress: before.progress,
        due: before.due,
        lane: before.lane,
        lease_until: replicas.clock.now() + TimeDelta::minutes(1),
        entries: Vec::new(),
        answers: None,
        certificate: None,
        forget: false,
    };
    assert_eq!(store.save(&slow, late).await, Err(edge_certificates::StoreError::Stale));

    assert_eq!(replicas.world.record(&name).await, after);
}
