//! The cache around a deed.

use gateway::Purge;

use super::support::{Service, routed};
use crate::support::config;

#[tokio::test]
async fn a_second_request_is_answered_from_the_cache_until_it_is_purged() {
    let service = Service::cacheable().await;
    let routes = format!(
        "[[routes]]\nid = \"c\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\nmodifiers.cache = {{}}\n{}",
        service.pool("p")
    );
    let edge = routed(config(), &routes);

    assert_eq!(edge.get("/x", "").await.body, "answer 0");
    let hit = edge.get("/%78", "").await;
    assert_eq!(hit.body, "answer 0");
    assert!(hit.header("cache-status").unwrap().contains("hit"), "{hit:?}");
    assert_eq!(edge.ask("GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n").await.body, "answer 1");
    let purge = Purge::Prefix { host: Some("a.test:80".to_owned()), prefix: "/x".to_owned() };
    assert_eq!(edge.routing.purge(&purge, false).await, 1);
    assert_eq!(edge.get("/x", "").await.body, "answer 2");
    assert_eq!(edge.ask("GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n").await.body, "answer 1");
}

#[tokio::test]
async fn routes_that_take_the_same_path_by_a_header_keep_their_answers_apart() {
    let (open, staff) = (Service::cacheable().await, Service::cacheable().await);
    let route = |id: &str, rest: &str| {
        format!(
            "[[routes]]\nid = \"{id}\"\naction = {{ kind = \"upstream\", pool = \"{id}\" }}\nmodifiers.cache = {{}}\n{rest}\n"
        )
    };
    let routes = [
        route("staff", "match.headers = [{ name = \"X-Staff\", exact = \"yes\" }]"),
        route("open", ""),
        open.pool("open"),
        staff.pool("staff"),
    ];
    let edge = routed(config(), &routes.concat());

    for _ in 0..2 {
        edge.get("/x", "X-Staff: yes\r\n").await;
        edge.get("/x", "").await;
    }

    assert_eq!((staff.calls(), open.calls()), (1, 1));
}

#[tokio::test]
async fn routes_that_rewrite_to_the_same_path_keep_their_answers_apart() {
    let (one, two) = (Service::named("one").await, Service::named("two").await);
    let route = |id: &str| {
        format!(
            "[[routes]]\nid = \"{id}\"\nmatch.path = {{ prefix = \"/{id}\" }}\n\
             action = {{ kind = \"upstream\", pool = \"{id}\" }}\n\
             modifiers = {{ cache = {{ default_ttl = 60 }}, rewrite = {{ strip_prefix = \"/{id}\" }} }}\n"
        )
    };
    let edge = routed(config(), &[route("one"), route("two"), one.pool("one"), two.pool("two")].concat());

    for _ in 0..2 {
        assert_eq!(edge.get("/one/x", "").await.body, "one /x");
        assert_eq!(edge.get("/two/x", "").await.body, "two /x");
    }

    assert_eq!((one.calls(), two.calls()), (1, 1));
}
