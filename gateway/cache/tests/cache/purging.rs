//! Purging, hard and soft, also of what is under way.

use std::sync::Arc;

use bytes::Bytes;
use edge_cache::{Policy, PurgeMode};
use http::Request;
use http_body_util::Empty;
use tokio::sync::oneshot;

use crate::support::{House, answer, config, get, read, scope, with_status};

const TAGGED: [(&str, &str); 3] =
    [("cache-control", "max-age=60"), ("surrogate-key", "shop item-1"), ("etag", "\"1\"")];

#[tokio::test]
async fn a_hard_purge_forgets_and_a_soft_one_makes_stale() {
    let house = House::new();
    let tenant = scope().tenant();
    house.send(get("/"), answer(&TAGGED, "one")).await;

    assert_eq!(house.cache.purge_tags(tenant, &["item-2".to_owned()], PurgeMode::Hard).await, 0);
    assert_eq!(house.cache.purge_tags(tenant, &["item-1".to_owned()], PurgeMode::Soft).await, 1);
    let confirmed = house.send(get("/"), with_status(304, &[], "")).await;
    assert_eq!(confirmed.body, "one");
    assert_eq!(house.seen.lock().unwrap()[1]["if-none-match"], "\"1\"");
    assert!(house.holds("/").await);

    assert_eq!(house.cache.purge_tags(tenant, &["shop".to_owned()], PurgeMode::Hard).await, 1);
    assert!(!house.holds("/").await);
    assert!(!house.seen.lock().unwrap()[2].contains_key("if-none-match"));
}

#[tokio::test]
async fn a_softly_purged_answer_stands_in_from_the_purge_on() {
    let house = House::new();
    let control = [("cache-control", "max-age=1000, stale-if-error=10"), ("surrogate-key", "a")];
    house.send(get("/"), answer(&control, "one")).await;
    house.pass(500);
    house.cache.purge_tags(scope().tenant(), &["a".to_owned()], PurgeMode::Soft).await;

    house.pass(9);
    assert_eq!(house.send(get("/"), with_status(503, &[], "")).await.body, "one");
    house.pass(1);
    assert_eq!(house.send(get("/"), with_status(503, &[], "")).await.status.as_u16(), 503);
}

#[tokio::test]
async fn a_prefix_and_a_target_are_purged_in_all_their_variants() {
    let policy = Policy { ignored_query: vec!["utm_*".to_owned()], ..Policy::default() };
    let house = House::with(policy, config());
    let varies = [("cache-control", "max-age=60"), ("vary", "X-N")];
    for target in ["/shop/1?utm_a=1", "/shop/2", "/about"] {
        for n in ["1", "2"] {
            house.send(get(target).header("x-n", n), answer(&varies, "one")).await;
        }
    }

    let target = "/shop/1?utm_b=2".parse().unwrap();
    assert_eq!(house.cache.purge_target(&scope(), &house.policy, &target, PurgeMode::Hard).await, 2);
    let tenant = scope().tenant();
    assert_eq!(house.cache.purge_prefix(tenant, Some("b.test"), "/shop/", PurgeMode::Hard).await, 0);
    assert_eq!(house.cache.purge_prefix(tenant, Some("A.test"), "/shop/", PurgeMode::Hard).await, 2);
    assert!(house.send(get("/about").header("x-n", "2"), answer(&[], "")).await.is_hit());
}

#[tokio::test]
async fn a_url_is_purged_as_routes_spell_it() {
    let ignored = ["utm_*".to_owned()];
    let house = House::with(Policy { ignored_query: ignored.to_vec(), ..Policy::default() }, config());
    for target in ["/p?utm_a=1", "/q?a=1"] {
        house.send(get(target), answer(&TAGGED, "one")).await;
    }
    let purge = async |url: &str| {
        let tenant = scope().tenant();
        house.cache.purge_url(tenant, url, &[&ignored, &[]], PurgeMode::Hard).await
    };

    for other in ["http://a.test/p", "https://a.test:8443/p", "https://b.test/p", "https://a.test/", "p", "data:x"] {
        assert_eq!(purge(other).await, 0, "{other}");
    }
    assert_eq!(purge("https://A.test:443/p?utm_b=2").await, 1);
    assert_eq!(purge("https://a.test/q?a=1#here").await, 1);
}

#[tokio::test]
async fn names_reach_clients_only_where_the_policy_shows_them() {
    let tagged = [("cache-control", "max-age=60"), ("surrogate-key", "a"), ("cache-tag", "b, c")];
    for shows_keys in [false, true] {
        let house = House::with(Policy { shows_keys, ..Policy::default() }, config());
        for _ in 0..2 {
            let answer = house.send(get("/"), answer(&tagged, "one")).await;
            let shown = (answer.headers.contains_key("surrogate-key"), answer.headers.contains_key("cache-tag"));
            assert_eq!(shown, (shows_keys, shows_keys));
        }
        let names = ["c".to_owned(), "a".to_owned()];
        assert_eq!(house.cache.purge_tags(scope().tenant(), &names, PurgeMode::Hard).await, 1);
    }
}

#[tokio::test]
async fn an_answer_fetched_before_a_purge_is_not_stored_after_it() {
    for purge in 0..4 {
        let house = Arc::new(House::new());
        let (release, held) = oneshot::channel::<()>();
        let (reached, origin) = oneshot::channel();
        let slow = Arc::clone(&house);
        let first = tokio::spawn(async move {
            let fetch = |_: Request<Empty<Bytes>>| async move {
                reached.send(()).unwrap();
                held.await.unwrap();
                answer(&TAGGED, "old")
            };
            let request = get("/").body(Empty::<Bytes>::new()).unwrap();
            read(slow.cache.serve(&scope(), &slow.policy, request, fetch).await).await.unwrap()
        });
        origin.await.unwrap();
        match purge {
            0 => drop(house.cache.purge_tags(scope().tenant(), &["shop".to_owned()], PurgeMode::Hard).await),
            1 => drop(house.cache.purge_prefix(scope().tenant(), None, "/", PurgeMode::Hard).await),
            2 => drop(house.send(Request::post("/"), answer(&[], "")).await),
            _ => drop(house.cache.purge_tags(scope().tenant(), &["other".to_owned()], PurgeMode::Hard).await),
        }
        release.send(()).unwrap();

        assert_eq!(first.await.unwrap().body, "old");
        house.settled().await;
        assert_eq!(house.holds("/").await, purge == 3, "{purge}");
    }
}

#[tokio::test]
async fn groups_are_invalidated_by_the_answer_to_a_change() {
    let house = House::new();
    let grouped = [("cache-control", "max-age=60"), ("cache-groups", "\"basket\", \"all\"")];
    house.send(get("/"), answer(&grouped, "one")).await;

    house.send(Request::post("/other"), answer(&[("cache-group-invalidation", "\"none\"")], "")).await;
    assert!(house.holds("/").await);
    house.send(Request::post("/other"), answer(&[("cache-group-invalidation", "\"basket\"")], "")).await;
    assert!(!house.holds("/").await);
}
