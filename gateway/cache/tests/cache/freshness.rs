//! RFC 9111, sections 3 and 4.2; RFC 8246; RFC 9213; request directives of section 5.2.1.

use std::time::Duration;

use edge_cache::Policy;
use proptest::prelude::*;

use crate::support::{House, START, answer, config, get, with_status};

#[tokio::test]
async fn an_answer_is_served_until_its_lifetime_ends_and_says_how_old_it_is() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "max-age=60")], "one")).await;
    house.pass(59);

    let hit = house.send(get("/"), answer(&[], "two")).await;
    assert_eq!((hit.body.as_ref(), hit.header("age")), (&b"one"[..], "59"));
    assert_eq!(hit.header("cache-status"), "holdfast; hit; ttl=1");

    house.pass(1);
    let stale = house.send(get("/"), answer(&[], "two")).await;
    assert_eq!(stale.body, "two");
    assert!(stale.header("cache-status").starts_with("holdfast; fwd=stale"));
}

#[tokio::test]
async fn what_forbids_storing_is_not_stored() {
    for headers in [
        &[("cache-control", "no-store, max-age=60")][..],
        &[("cache-control", "private, max-age=60")],
        &[("cache-control", "max-age=0")],
        &[("cache-control", "max-age=60"), ("vary", "*")],
        &[("cache-control", "max-age=60"), ("set-cookie", "a=b")],
        &[("cache-control", "max-age=60"), ("cdn-cache-control", "no-store")],
        &[("expires", "0")],
        &[("cache-control", "max-age=60"), ("age", "60")],
        &[("cache-control", "max-age=60"), ("age", "rubbish")],
        &[("cache-control", "max-age=60, must-understand"), ("x-status", "599")],
    ] {
        let house = House::new();
        let status = if headers.iter().any(|(name, _)| *name == "x-status") { 599 } else { 200 };
        house.send(get("/"), with_status(status, headers, "one")).await;
        assert!(!house.holds("/").await, "{headers:?}");
    }
}

#[tokio::test]
async fn targeted_fields_go_first_and_ours_is_taken_off() {
    let house = House::new();
    let headers = [
        ("cache-control", "no-store"),
        ("cdn-cache-control", "max-age=5"),
        ("holdfast-cache-control", "max-age=600"),
        ("surrogate-key", "a"),
    ];
    let first = house.send(get("/"), answer(&headers, "one")).await;
    assert_eq!((first.header("holdfast-cache-control"), first.header("surrogate-key")), ("", ""));
    assert_eq!(first.header("cdn-cache-control"), "max-age=5");
    house.pass(599);

    let hit = house.send(get("/"), answer(&[], "two")).await;
    assert!(hit.is_hit());
    assert_eq!((hit.header("holdfast-cache-control"), hit.header("surrogate-key")), ("", ""));
}

#[tokio::test]
async fn named_fields_are_not_handed_to_others() {
    let house = House::new();
    let headers = [
        ("cache-control", "max-age=60, private=\"Set-Cookie\", no-cache=\"X-User\""),
        ("set-cookie", "a=b"),
        ("x-user", "7"),
    ];
    house.send(get("/"), answer(&headers, "one")).await;

    let hit = house.send(get("/"), answer(&[], "two")).await;

    assert!(hit.is_hit());
    assert_eq!((hit.header("set-cookie"), hit.header("x-user")), ("", ""));
}

#[tokio::test]
async fn authorized_requests_share_only_what_says_so() {
    for (control, shared) in [
        ("max-age=60", false),
        ("max-age=60, public", true),
        ("s-maxage=60", true),
        ("max-age=60, must-revalidate", true),
    ] {
        let house = House::new();
        house.send(get("/").header("authorization", "a"), answer(&[("cache-control", control)], "one")).await;
        assert_eq!(house.holds("/").await, shared, "{control}");
    }
}

#[tokio::test]
async fn clients_are_honoured_where_the_route_wants_it() {
    for honour in [true, false] {
        let house = House::with(Policy { honour_client: honour, ..Policy::default() }, config());
        house.send(get("/"), answer(&[("cache-control", "max-age=60")], "one")).await;
        house.pass(30);
        for control in ["no-cache", "max-age=0", "max-age=29", "min-fresh=31"] {
            let cached = house
                .send(get("/").header("cache-control", control), answer(&[("cache-control", "no-store")], "two"))
                .await;
            assert_eq!(cached.is_hit(), !honour, "{control}");
            house.send(get("/"), answer(&[("cache-control", "max-age=60"), ("age", "30")], "one")).await;
        }
        assert!(
            house.send(get("/").header("cache-control", "min-fresh=30, max-age=30"), answer(&[], "")).await.is_hit()
        );
    }
}

#[tokio::test]
async fn max_stale_and_only_if_cached_are_taken_at_their_word() {
    let house = House::new();
    let nothing = house.send(get("/").header("cache-control", "only-if-cached"), answer(&[], "no")).await;
    assert_eq!((nothing.status.as_u16(), house.origin_calls()), (504, 0));
    house.send(get("/"), answer(&[("cache-control", "max-age=10"), ("etag", "\"1\"")], "one")).await;
    house.pass(15);

    assert!(
        house.send(get("/").header("cache-control", "max-stale=5, only-if-cached"), answer(&[], "")).await.is_hit()
    );
    let too_old = house.send(get("/").header("cache-control", "max-stale=4, only-if-cached"), answer(&[], "")).await;
    assert_eq!(too_old.status.as_u16(), 504);
}

#[tokio::test]
async fn an_immutable_answer_ignores_a_reload_but_not_a_forced_one() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "max-age=60, immutable")], "one")).await;

    assert!(house.send(get("/").header("cache-control", "max-age=0"), answer(&[], "two")).await.is_hit());
    assert!(!house.send(get("/").header("cache-control", "no-cache"), answer(&[], "two")).await.is_hit());
}

#[tokio::test]
async fn what_says_nothing_lives_as_the_route_says() {
    let mut policy = Policy { default_ttl: Duration::from_secs(30), ..Policy::default() };
    policy.status_ttl.insert(404, Duration::from_secs(5));
    policy.status_ttl.insert(500, Duration::from_secs(1));
    let house = House::with(policy, config());
    house.send(get("/"), answer(&[], "one")).await;
    house.send(get("/404"), with_status(404, &[], "none")).await;
    house.send(get("/500"), with_status(500, &[], "broken")).await;
    house.send(get("/403"), with_status(403, &[], "no")).await;

    assert!(house.holds("/").await && house.holds("/404").await && house.holds("/500").await);
    assert!(!house.holds("/403").await);
    house.pass(5);
    assert!(house.holds("/").await);
    assert!(!house.holds("/404").await && !house.holds("/500").await);
}

#[tokio::test]
async fn what_changed_long_ago_is_guessed_to_be_fresh_for_a_tenth_of_that() {
    let house = House::new();
    let changed = httpdate::fmt_http_date(house.now() - Duration::from_secs(1000));
    house.send(get("/"), answer(&[("last-modified", &changed)], "one")).await;

    house.pass(99);
    assert!(house.holds("/").await);
    house.pass(1);
    assert!(!house.holds("/").await);
}

proptest! {
    /// Against the formulas of section 4.2.3 written out.
    #[test]
    fn age_and_lifetime_follow_the_formulas(
        max_age in 0_u64..200, age in 0_u64..200, date_back in 0_u64..200, waited in 0_u64..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new();
            let date = httpdate::fmt_http_date(house.now() - Duration::from_secs(date_back));
            let headers = [("cache-control", format!("max-age={max_age}")), ("age", age.to_string()), ("date", date)];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            house.send(get("/"), answer(&headers, "one")).await;
            house.pass(waited);

            let current = age.max(date_back) + waited;
            let hit = house.send(get("/"), answer(&[("cache-control", "no-store")], "two")).await;
            prop_assert_eq!(hit.is_hit(), current < max_age);
            if hit.is_hit() {
                prop_assert_eq!(hit.header("age"), current.to_string());
            }
            prop_assert!(START > 0);
            Ok(())
        })?;
    }
}
