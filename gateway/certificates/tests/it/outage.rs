//! The store is locked, gone or read-only, also after a restart in that state: every issued name still answers.

use std::{sync::Arc, time::Duration};

use edge_certificates::{
    CertificateFiles, CertificateStore, Certificates, Hello, Managed, ManagedParts, Manager, OnDemand, Sealer,
    Snapshot, StaticCertificates, Syncer,
};
use fake_ca::{CaConfig, StoreFault, TestSealer};

use crate::world::{World, run_until};

const NAMES: [&str; 3] = ["a.example.com", "b.example.com", "www.example.org"];

/// A world with certificates for all names, and its snapshot.
async fn issued(folder: &std::path::Path) -> (World, Arc<Manager>) {
    let mut world = World::new(CaConfig::default());
    world.settings.poll = Duration::from_secs(5);
    let manager = Arc::new(world.wire_manager(&world.wire()));
    for name in NAMES {
        world.want(name, "one").await;
    }
    let all = async || {
        world.ca.trace().certificates == 3 && {
            let mut held = true;
            for name in NAMES {
                held &= world.record(&crate::world::name(name)).await.progress.held.is_some();
            }
            held
        }
    };
    assert!(run_until(&manager, Duration::from_mins(10), all).await);
    let (snapshot, managed) = replica(&world, folder, None, &world.sealer);
    let report = Syncer::new(world.dyn_store(), snapshot, managed).round().await;
    assert_eq!((report.written, report.failed), (3, false));
    (world, manager)
}

/// A process that just started.
fn replica(
    world: &World,
    folder: &std::path::Path,
    on_demand: Option<OnDemand>,
    sealer: &Arc<TestSealer>,
) -> (Arc<Snapshot>, Arc<Managed>) {
    let snapshot = Arc::new(Snapshot::open(folder).unwrap());
    let parts = ManagedParts {
        store: world.dyn_store(),
        sealer: Arc::clone(sealer) as Arc<dyn Sealer>,
        clock: Arc::clone(&world.clock),
        snapshot: Arc::clone(&snapshot),
        on_demand,
        settings: world.settings.clone(),
    };
    (snapshot, Arc::new(Managed::new(parts)))
}

async fn answers(managed: &Arc<Managed>, name: &str) -> bool {
    let certificates = Certificates::new(None, Some(Arc::clone(managed)));
    let hello = Hello { server_name: Some(name), alpn: vec![b"h2", b"http/1.1"] };
    certificates.certificate(&hello).await.is_some()
}

#[tokio::test(start_paused = true)]
async fn every_name_answers_after_a_restart_while_the_store_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let (world, manager) = issued(folder.path()).await;

    for fault in [StoreFault::Gone, StoreFault::Hangs, StoreFault::ReadOnly] {
        world.store.fail(fault);
        let on_demand = OnDemand::new(Arc::clone(&manager));
        let (_, managed) = replica(&world, folder.path(), Some(on_demand), &world.sealer);
        for name in NAMES {
            assert!(answers(&managed, name).await, "{name} while the store is {fault:?}");
        }
        assert!(!answers(&managed, "never.example.com").await);
    }
}

#[tokio::test(start_paused = true)]
async fn files_come_before_managed_certificates_and_challenges_before_both() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = issued(folder.path()).await;
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new([NAMES[0].to_owned()]).unwrap().self_signed(&key).unwrap();
    let (certificate, private) = (folder.path().join("own.pem"), folder.path().join("own-key.pem"));
    std::fs::write(&certificate, own.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let files = StaticCertificates::open(vec![CertificateFiles { certificate, key: private }]).unwrap();
    let (_, managed) = replica(&world, folder.path(), None, &world.sealer);
    let certificates = Certificates::new(Some(Arc::new(files)), Some(managed));
    let leaf = async |name, alpn: &'static [u8]| {
        let hello = Hello { server_name: Some(name), alpn: vec![alpn] };
        certificates.certificate(&hello).await.map(|key| key.cert[0].to_vec())
    };

    assert_eq!(leaf(NAMES[0], b"h2").await.as_deref(), Some(own.der().as_ref()));
    assert!(leaf(NAMES[1], b"h2").await.is_some());
    assert_eq!(leaf(NAMES[0], b"acme-tls/1").await, None, "no challenge is set");
    assert_eq!(leaf("other.example.net", b"h2").await, None);
}

#[tokio::test(start_paused = true)]
async fn the_manager_goes_on_when_the_store_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (world, manager) = issued(folder.path()).await;
    let late = world.want("late.example.com", "one").await;
    for fault in [StoreFault::Gone, StoreFault::ReadOnly] {
        world.store.fail(fault);
        assert!(!run_until(&manager, Duration::from_mins(10), async || false).await);
    }
    world.store.fail(StoreFault::None);

    let held = async || world.record(&late).await.progress.held.is_some();
    assert!(run_until(&manager, Duration::from_mins(10), held).await, "{:?}", world.record(&late).await);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_name_leaves_the_snapshot_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (world, manager) = issued(folder.path()).await;
    let (snapshot, managed) = replica(&world, folder.path(), None, &world.sealer);
    assert!(answers(&managed, NAMES[0]).await);
    let name = crate::world::name(NAMES[0]);
    world.store.unwant(&name, world.clock.now()).await.unwrap();
    let gone = async || world.store.record(&name).await.unwrap().is_none();
    assert!(run_until(&manager, Duration::from_mins(1), gone).await);

    let syncer = Syncer::new(world.dyn_store(), Arc::clone(&snapshot), Arc::clone(&managed));
    assert_eq!(syncer.round().await.removed, 1);

    assert!(!answers(&managed, NAMES[0]).await);
    assert!(answers(&managed, NAMES[1]).await);
    assert_eq!(snapshot.read(&name).unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_expired_certificate_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = issued(folder.path()).await;
    let (_, managed) = replica(&world, folder.path(), None, &world.sealer);
    assert!(answers(&managed, NAMES[0]).await);

    tokio::time::sleep(Duration::from_hours(91 * 24)).await;

    assert!(!answers(&managed, NAMES[0]).await);
    let (_, restarted) = replica(&world, folder.path(), None, &world.sealer);
    assert!(!answers(&restarted, NAMES[0]).await);
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_tells_nothing_without_the_key_or_at_another_place() {
    let folder = tempfile::tempdir().unwrap();
    let (world, _) = issued(folder.path()).await;
    let snapshot = Snapshot::open(folder.path()).unwrap();
    let (one, two) = (crate::world::name(NAMES[0]), crate::world::name(NAMES[1]));
    let sealed = snapshot.read(&one).unwrap().unwrap();
    let bytes = String::from_utf8_lossy(&sealed.0).into_owned();
    assert!(!bytes.contains("BEGIN CERTIFICATE") && !bytes.contains("chain"));

    world.store.fail(StoreFault::Gone);
    let (_, thief) = replica(&world, folder.path(), None, &Arc::new(TestSealer::new(2)));
    assert!(!answers(&thief, NAMES[0]).await);
    snapshot.write(&two, &sealed).unwrap();
    let (_, mixed) = replica(&world, folder.path(), None, &world.sealer);
    assert!(answers(&mixed, NAMES[0]).await && !answers(&mixed, NAMES[1]).await);
}
