//! Input made to harm.

use http::HeaderValue;

use crate::support::{House, answer, config, get};

#[tokio::test]
async fn endless_names_in_vary_and_surrogate_key_are_not_stored() {
    let many: Vec<String> = (0..5000).map(|n| format!("x{n}")).collect();
    for (name, value) in
        [("vary", many.join(",")), ("surrogate-key", many.join(" ")), ("surrogate-key", "x".repeat(9999))]
    {
        let house = House::new();
        let read = house.send(get("/"), answer(&[("cache-control", "max-age=60"), (name, &value)], "one")).await;
        assert_eq!(read.body, "one");
        assert!(read.header("cache-status").ends_with(&format!("detail={name}")));
        assert!(!house.holds("/").await, "{name}");
    }
}

#[tokio::test]
async fn dates_out_of_this_world_are_neither_fresh_for_ever_nor_a_panic() {
    for (name, value) in [
        ("date", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("date", "rubbish"),
        ("age", "99999999999999999999999"),
        ("expires", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("last-modified", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("cache-control", "max-age=18446744073709551616"),
    ] {
        let house = House::new();
        house.send(get("/"), answer(&[("etag", "\"1\""), (name, value)], "one")).await;
        house.send(get("/"), answer(&[], "two")).await;
        house.pass(70 * 365 * 86_400);
        assert!(!house.holds("/").await, "{name}: {value}");
    }
}

#[tokio::test]
async fn nothing_of_a_request_reaches_a_header_of_the_answer() {
    let house = House::new();
    house.send(get("/?a%0d%0aX-Evil:1"), answer(&[("cache-control", "max-age=60")], "one")).await;

    let hit = house.send(get("/?a%0D%0AX-Evil:1"), answer(&[], "two")).await;

    assert!(hit.is_hit());
    assert!(!hit.headers.contains_key("x-evil"));
}

#[tokio::test]
async fn headers_that_are_no_text_are_compared_and_not_read() {
    let house = House::new();
    let odd = HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    let varies = [("cache-control", "max-age=60"), ("vary", "X-Odd")];
    house.send(get("/").header("x-odd", odd.clone()), answer(&varies, "one")).await;

    assert!(house.send(get("/").header("x-odd", odd), answer(&[], "two")).await.is_hit());
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn a_flood_of_targets_and_variants_stays_within_the_memory() {
    let mut small = config();
    small.memory_bytes = 1 << 20;
    small.max_object_bytes = 1 << 16;
    let house = House::with(edge_cache::Policy::default(), small);
    let varies = [("cache-control", "max-age=60"), ("vary", "X-N")];
    for number in 0..3000 {
        let target = format!("/{}", number % 1500);
        house.send(get(&target).header("x-n", number), answer(&varies, "a body of some bytes")).await;
        house.send(get("/one").header("x-n", number), answer(&varies, "a body of some bytes")).await;
        assert!(house.cache.stats().memory_bytes <= 1 << 20);
    }
    assert!(house.cache.stats().memory_targets > 100);
}
