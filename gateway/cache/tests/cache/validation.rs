//! RFC 9111, sections 4.1, 4.3 and 4.4; RFC 9110, sections 13 to 15.

use http::Request;

use crate::support::{House, answer, get, with_status};

const TAGGED: [(&str, &str); 3] = [("cache-control", "max-age=10"), ("etag", "\"1\""), ("x-test", "old")];

#[tokio::test]
async fn a_304_renews_what_is_stored() {
    let house = House::new();
    house.send(get("/"), answer(&TAGGED, "one")).await;
    house.pass(10);

    let newer = with_status(304, &[("cache-control", "max-age=100"), ("x-test", "new")], "");
    let confirmed = house.send(get("/"), newer).await;
    assert_eq!(house.seen.lock().unwrap()[1]["if-none-match"], "\"1\"");
    assert_eq!((confirmed.status.as_u16(), confirmed.body.as_ref()), (200, &b"one"[..]));
    assert!(confirmed.header("cache-status").starts_with("holdfast; fwd=stale; fwd-status=304; ttl=100; stored"));

    house.pass(99);
    let hit = house.send(get("/"), answer(&[], "two")).await;
    assert_eq!((hit.body.as_ref(), hit.header("x-test"), hit.header("age")), (&b"one"[..], "new", "99"));
}

#[tokio::test]
async fn no_cache_asks_each_time() {
    let house = House::new();
    house.send(get("/"), answer(&[("cache-control", "no-cache, max-age=60"), ("etag", "\"1\"")], "one")).await;

    for _ in 0..2 {
        let confirmed = house.send(get("/"), with_status(304, &[], "")).await;
        assert_eq!(confirmed.body, "one");
    }
    assert_eq!(house.origin_calls(), 3);
}

#[tokio::test]
async fn a_client_that_has_it_gets_a_304_even_on_a_miss() {
    let house = House::new();
    let conditional = || get("/").header("if-none-match", "\"0\", W/\"1\"");

    let missed = house.send(conditional(), answer(&TAGGED, "one")).await;
    house.settled().await;
    let hit = house.send(conditional(), answer(&[], "two")).await;

    assert!(!house.seen.lock().unwrap()[0].contains_key("if-none-match"));
    for read in [missed, hit] {
        assert_eq!((read.status.as_u16(), read.header("etag"), read.body.len()), (304, "\"1\"", 0));
        assert_eq!(read.header("content-length"), "");
    }
    assert_eq!(house.send(get("/"), answer(&[], "two")).await.body, "one");
}

#[tokio::test]
async fn parts_and_heads_come_from_the_whole() {
    let house = House::new();
    house.send(get("/"), answer(&TAGGED, "0123456789")).await;

    let part = house.send(get("/").header("range", "bytes=2-4"), answer(&[], "no")).await;
    assert_eq!((part.status.as_u16(), part.body.as_ref()), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let beyond = house.send(get("/").header("range", "bytes=10-"), answer(&[], "no")).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */10"));
    let other = get("/").header("range", "bytes=2-4").header("if-range", "\"2\"");
    assert_eq!(house.send(other, answer(&[], "no")).await.status.as_u16(), 200);
    let head = house.send(Request::head("/"), answer(&[], "no")).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "10", 0));
    assert_eq!(house.origin_calls(), 1);
}

#[tokio::test]
async fn a_range_without_a_stored_whole_goes_by_and_is_not_stored() {
    let house = House::new();
    let partial = with_status(206, &[("cache-control", "max-age=60"), ("content-range", "bytes 0-1/9")], "01");

    let read = house.send(get("/").header("range", "bytes=0-1"), partial).await;

    assert_eq!(house.seen.lock().unwrap()[0]["range"], "bytes=0-1");
    assert_eq!((read.status.as_u16(), read.header("cache-status")), (206, "holdfast; fwd=partial"));
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn variants_are_kept_apart() {
    let house = House::new();
    let varies = [("cache-control", "max-age=60"), ("vary", "Accept-Language")];
    house.send(get("/").header("accept-language", "de"), answer(&varies, "Hallo")).await;
    let other = house.send(get("/").header("accept-language", "en"), answer(&varies, "Hello")).await;
    assert!(other.header("cache-status").starts_with("holdfast; fwd=vary-miss"));

    for (language, text) in [("de", "Hallo"), ("EN", "Hello")] {
        let hit = house.send(get("/").header("accept-language", language), answer(&[], "no")).await;
        assert_eq!(hit.body, text);
    }
    assert!(!house.holds("/").await);
}

#[tokio::test]
async fn a_change_makes_its_target_and_what_it_names_invalid() {
    for (status, gone) in [(200, true), (303, true), (404, false), (500, false)] {
        let house = House::new();
        for target in ["/", "/location", "/content?a", "/elsewhere"] {
            house.send(get(target), answer(&[("cache-control", "max-age=60")], "one")).await;
        }
        let headers =
            [("location", "https://a.test/location"), ("content-location", "content?a"), ("x-other", "/elsewhere")];
        house.send(Request::post("/"), with_status(status, &headers, "")).await;

        for target in ["/", "/location", "/content?a"] {
            assert_eq!(house.holds(target).await, !gone, "{status} {target}");
        }
        assert!(house.holds("/elsewhere").await);
    }
}
