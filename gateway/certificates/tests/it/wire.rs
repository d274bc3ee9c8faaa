//! ACME on the wire against the fake CA: external accounts, profiles, nonces, a real TLS socket.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use edge_certificates::{
    AcmeAuthority, Cause, CertificateStore, IssuerSettings, RcgenKeys, ReqwestTransport, Sealer, Status,
    TransportLimits,
};
use fake_ca::{CaConfig, CaStep, Fault, serve};

use crate::world::{World, run_until};

const MINUTES: Duration = Duration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn an_external_account_is_bound_with_its_key_and_refused_with_another() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    for (key, cause) in [([7; 32], None), ([8; 32], Some(Cause::AccountRefused))] {
        let external_accounts = vec![("kid-1".to_owned(), vec![7; 32])];
        let mut world = World::new(CaConfig { external_accounts, ..CaConfig::default() });
        world.settings.issuers[0].eab_key_id = Some("kid-1".into());
        world.settings.issuers[0].eab_key = Some(BASE64_URL_SAFE_NO_PAD.encode(key).into());
        let manager = world.wire_manager(&world.wire());
        let name = world.want("a.example.com", "one").await;
        let ended = async || world.record(&name).await.progress.status() >= Status::Issued;
        assert!(run_until(&manager, MINUTES, ended).await);

        assert_eq!(world.record(&name).await.progress.failure.map(|failure| failure.cause), cause);
    }
}

#[tokio::test(start_paused = true)]
async fn the_profile_of_the_settings_is_asked_for() {
    let mut world = World::new(CaConfig::default());
    world.settings.issuers[0].profile = Some("shortlived".into());
    let manager = world.wire_manager(&world.wire());
    let name = world.want("a.example.com", "one").await;
    assert!(run_until(&manager, MINUTES, async || world.record(&name).await.progress.held.is_some()).await);

    let held = world.record(&name).await.progress.held.unwrap();
    assert_eq!(held.not_after - held.not_before, TimeDelta::days(6) + TimeDelta::seconds(1));
}

#[tokio::test(start_paused = true)]
async fn nine_refused_nonces_in_a_row_are_nothing() {
    let world = World::new(CaConfig::default());
    let manager = world.wire_manager(&world.wire());
    world.ca.script.add(CaStep::NewOrder, Fault::BadNonce, 9);
    let name = world.want("a.example.com", "one").await;
    assert!(run_until(&manager, MINUTES, async || world.record(&name).await.progress.held.is_some()).await);

    let entries = world.store.timeline(&name, 50).await.unwrap();
    assert!(entries.iter().all(|entry| entry.cause.is_none()), "{entries:?}");
}

#[tokio::test]
async fn it_works_over_a_tls_socket_whose_root_is_said_and_no_other() {
    let mut world = World::new(CaConfig::default());
    world.settings.poll = Duration::from_millis(50);
    let wire = world.wire();
    let served = serve(Arc::clone(&wire)).await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, &served.root_pem).unwrap();
    let authority = |root: Option<&std::path::Path>| {
        let transport = Arc::new(ReqwestTransport::new(TransportLimits::default(), root).unwrap());
        let issuer = IssuerSettings::new("fake", wire.directory());
        let around = (world.dyn_store(), Arc::clone(&world.sealer) as Arc<dyn Sealer>, Arc::clone(&world.clock));
        AcmeAuthority::new(issuer, transport, Duration::from_secs(20), around, "test".into()).unwrap()
    };
    let name = world.want("a.example.com", "one").await;

    let stranger = vec![("fake", Arc::new(authority(None)) as Arc<dyn edge_certificates::Authority>)];
    let manager = world.manager("one", world.dyn_store(), stranger, Arc::new(RcgenKeys), None);
    manager.tick().await;
    assert_eq!(world.ca.trace().requests, 0, "nothing is said to a server that nobody vouches for");

    let friend = vec![("fake", Arc::new(authority(Some(&root))) as Arc<dyn edge_certificates::Authority>)];
    let manager = world.manager("two", world.dyn_store(), friend, Arc::new(RcgenKeys), None);
    assert!(
        run_until(&manager, Duration::from_secs(60), async || world.record(&name).await.progress.held.is_some()).await
    );
}
