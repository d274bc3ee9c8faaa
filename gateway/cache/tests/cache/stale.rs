//! RFC 5861, and what forbids it (RFC 9111, section 4.2.4).

use crate::support::{House, answer, get, with_status};

#[tokio::test]
async fn a_stale_answer_is_served_while_the_next_is_fetched() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "max-age=10, stale-while-revalidate=5")], "one")).await;
    house.pass(14);

    let stale = house.send(get("/"), answer(&[("cache-control", "max-age=10")], "two")).await;
    assert_eq!((stale.body.as_ref(), stale.is_hit()), (&b"one"[..], true));
    house.cache.close().await;

    let fresh = house.send(get("/"), answer(&[], "three")).await;
    assert_eq!((fresh.body.as_ref(), house.origin_calls()), (&b"two"[..], 2));
}

#[tokio::test]
async fn beyond_the_window_the_origin_is_waited_for() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "max-age=10, stale-while-revalidate=5")], "one")).await;
    house.pass(15);

    assert_eq!(house.send(get("/"), answer(&[], "two")).await.body, "two");
}

#[tokio::test]
async fn a_stale_answer_stands_in_for_a_failing_origin_within_its_window() {
    for status in [500, 502, 503, 504] {
        let house = House::new();
        house.send(get("/"), answer(&[("cache-control", "max-age=10, stale-if-error=20")], "one")).await;
        house.pass(29);
        let stood_in = house.send(get("/"), with_status(status, &[], "broken")).await;
        assert_eq!((stood_in.status.as_u16(), stood_in.body.as_ref()), (200, &b"one"[..]));
        assert!(stood_in.header("cache-status").contains(&format!("fwd-status={status}")));

        house.pass(1);
        assert_eq!(house.send(get("/"), with_status(status, &[], "broken")).await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn what_must_be_revalidated_is_never_used_stale() {
    for control in ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=10"] {
        let house = House::new();
        let control = format!("max-age=10, {control}");
        house.send(get("/"), answer(&[("cache-control", &control), ("etag", "\"1\"")], "one")).await;
        house.pass(11);

        let request = get("/").header("cache-control", "max-stale, stale-if-error=100");
        let failed = house.send(request, with_status(503, &[], "broken")).await;
        assert_eq!(failed.status.as_u16(), 503, "{control}");
    }
}

#[tokio::test]
async fn a_missing_page_is_no_failure_to_cover() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "max-age=10, stale-if-error=100")], "one")).await;
    house.pass(11);

    assert_eq!(house.send(get("/"), with_status(404, &[], "gone")).await.status.as_u16(), 404);
    assert!(!house.holds("/").await);
}
