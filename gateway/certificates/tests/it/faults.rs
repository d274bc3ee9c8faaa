//! Every fault at every step ends in a certificate later, or in a failed state with a name; never in silence.

use std::{sync::Arc, time::Duration};

use edge_certificates::{CaLimits, Cause, Name, Status};
use fake_ca::{CaConfig, CaStep, Fault, WrongCertificate};

use crate::world::{World, run_until};

const DAYS: Duration = Duration::from_hours(3 * 24);
const FOREVER: u32 = u32::MAX;

fn world() -> World {
    let limits = CaLimits { duplicates: 0, ..CaLimits::default() };
    let mut world = World::new(CaConfig { limits, ..CaConfig::default() });
    world.settings.poll = Duration::from_secs(20);
    world
}

/// Wants one name of a CA with this fault; says how it ended.
async fn ends(step: CaStep, fault: Fault, times: u32) -> (World, Name, Status) {
    let world = world();
    let wire = world.wire();
    let manager = world.wire_manager(&wire);
    world.ca.script.add(step, fault, times);
    let name = world.want("a.example.com", "one").await;
    let ended = async || {
        let progress = world.record(&name).await.progress;
        progress.held.is_some() || (times == FOREVER && progress.failure.is_some())
    };
    assert!(run_until(&manager, DAYS, ended).await, "{fault:?} at {step:?}: stuck in {:?}", world.record(&name).await);
    let status = world.record(&name).await.progress.status();
    (world, name, status)
}

const PASSING: [Fault; 7] = [
    Fault::RateLimited(90),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Hang,
    Fault::HangAfter,
    Fault::Truncated,
    Fault::BadNonce,
];

#[tokio::test(start_paused = true)]
async fn faults_that_pass_end_in_a_certificate() {
    let steps = CaStep::ALL.into_iter().filter(|step| *step != CaStep::RenewalInfo);
    for step in steps {
        for fault in PASSING {
            for times in [1, 4] {
                let (world, name, status) = ends(step, fault, times).await;
                assert_eq!(status, Status::Issued, "{times} times {fault:?} at {step:?}");
                assert!(world.ca.breaches().is_empty(), "{fault:?} at {step:?}: {:?}", world.ca.breaches());
                assert!(world.record(&name).await.progress.failure.is_none());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn faults_that_stay_have_a_name_and_a_next_try() {
    let steps = CaStep::ALL.into_iter().filter(|step| *step != CaStep::RenewalInfo);
    for step in steps {
        for fault in PASSING {
            let (world, name, status) = ends(step, fault, FOREVER).await;
            // What the CA did is found at the next look, though its answer never came whole.
            if status == Status::Issued {
                assert!(matches!(fault, Fault::Truncated | Fault::HangAfter), "{fault:?} at {step:?}");
                continue;
            }
            assert_eq!(status, Status::Failed, "{fault:?} at {step:?}");
            let failure = world.record(&name).await.progress.failure.unwrap();
            assert!(failure.next_try > world.clock.now(), "{fault:?} at {step:?}");
            assert!(failure.cause.is_the_cas(), "{fault:?} at {step:?}: {failure:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_the_ca_asks_for_is_kept() {
    for step in [CaStep::NewAccount, CaStep::NewOrder, CaStep::Order, CaStep::Finalize] {
        let world = world();
        let manager = world.wire_manager(&world.wire());
        let begin = world.clock.now();
        world.ca.script.add(step, Fault::RateLimited(7200), 1);
        let name = world.want("a.example.com", "one").await;

        assert!(
            run_until(&manager, DAYS, async || world.record(&name).await.progress.held.is_some()).await,
            "{step:?}"
        );

        assert!(world.clock.now() - begin >= chrono::TimeDelta::hours(2), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_stays_in_processing_is_given_up_and_placed_anew() {
    let (world, name, status) = ends(CaStep::Finalize, Fault::EternalProcessing, FOREVER).await;
    assert_eq!(status, Status::Failed);
    assert_eq!(world.record(&name).await.progress.failure.unwrap().cause, Cause::OrderStuck);

    let (world, _, status) = ends(CaStep::Finalize, Fault::EternalProcessing, 1).await;
    assert_eq!(status, Status::Issued);
    assert_eq!(world.ca.trace().orders, 2);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_certificate_is_never_served() {
    use WrongCertificate::{Expired, NotYetValid, OtherKey, OtherName};
    for (wrong, cause) in [
        (OtherName, Cause::CertificateWrong),
        (OtherKey, Cause::CertificateWrong),
        (Expired, Cause::CertificateTime),
        (NotYetValid, Cause::CertificateTime),
    ] {
        let (world, name, status) = ends(CaStep::Finalize, Fault::Wrong(wrong), FOREVER).await;
        assert_eq!(status, Status::Failed, "{wrong:?}");
        assert_eq!(world.record(&name).await.progress.failure.unwrap().cause, cause, "{wrong:?}");

        let (_, _, status) = ends(CaStep::Finalize, Fault::Wrong(wrong), 1).await;
        assert_eq!(status, Status::Issued, "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ca_whose_clock_is_ahead_is_named_and_one_a_little_behind_is_not() {
    let ends = async |skew| {
        let mut world = World::new(CaConfig { skew: chrono::TimeDelta::hours(skew), ..CaConfig::default() });
        world.settings.poll = Duration::from_secs(20);
        let manager = world.wire_manager(&world.wire());
        let name = world.want("a.example.com", "one").await;
        let ended = async || {
            let progress = world.record(&name).await.progress;
            progress.held.is_some() || progress.failure.is_some()
        };
        assert!(run_until(&manager, DAYS, ended).await);
        world.record(&name).await.progress.failure.map(|failure| failure.cause)
    };

    assert_eq!(ends(3).await, Some(Cause::CertificateTime));
    assert_eq!(ends(-3).await, None);
}

/// A name with a certificate whose renewal is due.
async fn renewing(script: impl Fn(&World)) -> (World, Name) {
    let mut world = world();
    world.settings.poll = Duration::from_mins(10);
    let manager = world.wire_manager(&world.wire());
    let name = world.want("a.example.com", "one").await;
    assert!(run_until(&manager, DAYS, async || world.record(&name).await.progress.held.is_some()).await);
    script(&world);
    let first = world.record(&name).await.progress.held.unwrap();
    let year = Duration::from_hours(365 * 24);
    let renewed = async || world.record(&name).await.progress.held.is_some_and(|held| held != first);
    assert!(run_until(&manager, year, renewed).await, "{:?}", world.record(&name).await);
    assert!(world.clock.now() < first.not_after, "renewed in time");
    (world, name)
}

#[tokio::test(start_paused = true)]
async fn renewal_goes_on_without_replaces_if_the_ca_refuses_it() {
    for status in [403, 409] {
        let refuse = |world: &World| world.ca.script.add(CaStep::NewOrder, Fault::ReplacesRefused(status), FOREVER);
        let (world, _) = renewing(refuse).await;

        assert_eq!(world.ca.trace().certificates, 2, "{status}");
        assert!(world.ca.breaches().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn renewal_comes_in_time_while_renewal_information_is_dead() {
    for fault in [Fault::Status(500), Fault::Status(404), Fault::Hang, Fault::Truncated, Fault::RateLimited(60)] {
        let (world, _) = renewing(|world| world.ca.script.add(CaStep::RenewalInfo, fault, FOREVER)).await;
        assert_eq!(world.ca.trace().certificates, 2, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_in_the_past_renews_at_once() {
    let world = world();
    let manager = world.wire_manager(&world.wire());
    let name = world.want("a.example.com", "one").await;
    assert!(run_until(&manager, DAYS, async || world.record(&name).await.progress.held.is_some()).await);
    let now = world.clock.now();
    world.ca.suggest(now - chrono::TimeDelta::days(2), now - chrono::TimeDelta::days(1));

    assert!(run_until(&manager, Duration::from_hours(30), async || world.ca.trace().certificates == 2).await);
}

#[tokio::test(start_paused = true)]
async fn the_next_issuer_is_asked_when_the_first_is_down() {
    let mut world = world();
    let mut second = world.settings.issuers[0].clone();
    second.id = "second".into();
    world.settings.issuers.push(second);
    let other = World::new(CaConfig::default());
    world.ca.script.add(CaStep::NewOrder, Fault::Status(503), FOREVER);
    let second_wire = Arc::new(fake_ca::WireCa::new(
        Arc::clone(&other.ca),
        Arc::new(fake_ca::StoreValidator(world.dyn_store())),
        "https://other.test",
    ));
    let authorities = vec![("fake", world.acme(&world.wire(), "fake")), ("second", world.acme(&second_wire, "second"))];
    let keys = Arc::new(edge_certificates::RcgenKeys);
    let manager = world.manager("one", world.dyn_store(), authorities, keys, None);
    let name = world.want("a.example.com", "one").await;

    let held = async || world.record(&name).await.progress.held.is_some();
    assert!(run_until(&manager, Duration::from_mins(2), held).await, "{:?}", world.record(&name).await);

    assert_eq!(world.record(&name).await.progress.held.unwrap().issuer, "second");
}
