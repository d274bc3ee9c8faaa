//! What is remembered of requests that a route takes, and the trace that its service sees.

use gateway::CacheOutcome;

use super::support::{Service, routed};
use crate::support::config;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_request_is_remembered_with_its_route_server_cache_and_trace() {
    let service = Service::cacheable().await;
    let route = "[[routes]]\nid = \"shop\"\nmatch.path = { prefix = \"/shop\" }\n\
        action = { kind = \"upstream\", pool = \"p\" }\nmodifiers.cache = {}\n";
    let edge = routed(config(), &format!("{route}{}", service.pool("p")));

    edge.get("/shop/x?a=1", &format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n")).await;
    edge.get("/shop/x?a=1", "").await;
    edge.get("/elsewhere", "").await;

    let seen: Vec<_> = edge.running.journal.recent(None, None, false).collect();
    let [first, second, third] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((first.particulars.route.as_deref(), first.particulars.pool.as_deref()), (Some("shop"), Some("p")));
    assert_eq!(first.particulars.target.as_deref(), Some(&*format!("http://{}", service.address)));
    assert_eq!(
        (first.particulars.cache, second.particulars.cache),
        (Some(CacheOutcome::Miss), Some(CacheOutcome::Hit))
    );
    assert_eq!(second.particulars.target, None, "no server was asked");
    assert_eq!((&*third.path, &third.particulars.route), ("/elsewhere", &None));
    assert_eq!(hex::encode(first.trace_id), TRACE);
    assert_ne!(first.trace_id, second.trace_id);
    let told = service.seen.lock().unwrap()["traceparent"].to_str().unwrap().to_owned();
    assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"), "{told}");
    assert!(!told.contains("00f067aa0ba902b7"), "the edge has a span of its own");
}
