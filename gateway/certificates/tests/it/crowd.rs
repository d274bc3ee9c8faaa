//! However many visitors ask for a name, there is one order, and nobody waits for ever.

use std::{sync::Arc, time::Duration};

use edge_certificates::{Managed, ManagedParts, Name, OnDemand, Sealer, Snapshot};
use fake_ca::{CaConfig, CaStep, Fault};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::world::{World, name};

struct Visited {
    world: World,
    managed: Arc<Managed>,
    stop: CancellationToken,
    running: JoinSet<()>,
    _folder: tempfile::TempDir,
}

/// A running manager, and what answers handshakes in front of it.
fn visited() -> Visited {
    // Only the visitors' asking brings a name forward in time.
    visited_with(Duration::from_secs(5))
}

fn visited_with(poll: Duration) -> Visited {
    let mut world = World::new(CaConfig::default());
    world.settings.poll = poll;
    let manager = Arc::new(world.wire_manager(&world.wire()));
    let folder = tempfile::tempdir().unwrap();
    let managed = Arc::new(Managed::new(ManagedParts {
        store: world.dyn_store(),
        sealer: Arc::clone(&world.sealer) as Arc<dyn Sealer>,
        clock: Arc::clone(&world.clock),
        snapshot: Arc::new(Snapshot::open(folder.path()).unwrap()),
        on_demand: Some(OnDemand::new(Arc::clone(&manager))),
        settings: world.settings.clone(),
    }));
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let stopping = stop.clone();
    running.spawn(async move { manager.run(stopping).await });
    Visited { world, managed, stop, running, _folder: folder }
}

async fn visitors(managed: &Arc<Managed>, name: &Name, count: usize) -> usize {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (managed, name) = (Arc::clone(managed), name.clone());
        tasks.spawn(async move { managed.certificate(&name).await.is_some() });
    }
    tasks.join_all().await.into_iter().filter(|answered| *answered).count()
}

#[tokio::test(start_paused = true)]
async fn sixty_four_visitors_of_a_new_name_make_one_order() {
    let mut visited = visited();
    let name = visited.world.want("a.example.com", "one").await;

    assert_eq!(visitors(&visited.managed, &name, 64).await, 64);

    let trace = visited.world.ca.trace();
    assert_eq!((trace.orders, trace.certificates), (1, 1));
    visited.stop.cancel();
    visited.running.join_next().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_on_when_the_ca_is_to_be_asked_again_and_not_at_the_next_poll() {
    let visited = visited_with(Duration::from_hours(1));
    let name = visited.world.want("a.example.com", "one").await;

    assert_eq!(visitors(&visited.managed, &name, 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_wants_costs_the_ca_nothing() {
    let visited = visited();

    assert_eq!(visitors(&visited.managed, &name("evil.example.com"), 64).await, 0);

    assert_eq!(visited.world.ca.trace().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_ca_holds_a_handshake_only_as_long_as_the_settings_say() {
    let visited = visited();
    visited.world.ca.script.add(CaStep::NewOrder, Fault::Hang, u32::MAX);
    let name = visited.world.want("a.example.com", "one").await;
    let before = tokio::time::Instant::now();

    assert_eq!(visitors(&visited.managed, &name, 8).await, 0);

    assert!(before.elapsed() <= visited.world.settings.on_demand_wait + Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn visitors_of_a_name_that_failed_do_not_spend_the_cas_patience() {
    let visited = visited();
    let name = visited.world.want("a.example.com", "one").await;
    // The validator finds no answer for a name whose challenge is DNS-01: it fails.
    visited.world.ca.script.add(CaStep::Finalize, Fault::Wrong(fake_ca::WrongCertificate::OtherName), u32::MAX);
    visitors(&visited.managed, &name, 4).await;
    let failed = visited.world.record(&name).await.progress.failure.expect("it failed");
    let before = visited.world.ca.trace().requests;

    for _ in 0..5 {
        visited.managed.forget(&name);
        assert_eq!(visitors(&visited.managed, &name, 4).await, 0);
    }

    assert_eq!(visited.world.ca.trace().requests, before);
    assert_eq!(visited.world.record(&name).await.progress.failure, Some(failed));
}
