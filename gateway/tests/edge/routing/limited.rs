//! Limits that routes name, several at once.

use std::{num::NonZeroU32, sync::Arc};

use gateway::{Config, NamedLimit, Rate, RateLimits, Subject};
use tokio::{sync::Barrier, task::JoinSet};

use super::{
    access::{doorkeeper, guarded_with},
    support::{Routed, Service, routed},
};
use crate::support::config;

fn limit(name: &str, by: &[Subject], burst: u32) -> NamedLimit {
    let (per_minute, burst) = (NonZeroU32::new(6).unwrap(), NonZeroU32::new(burst).unwrap());
    NamedLimit {
        name: name.to_owned(),
        by: by.to_vec(),
        per_minute,
        burst,
        cost: NonZeroU32::MIN,
        dry_run: false,
        shared: false,
    }
}

fn with(limits: &[NamedLimit]) -> Config {
    Config { limits: limits.to_vec(), ..config() }
}

const FIXED: &str = "action = { kind = \"respond\", status = 200, body = \"fine\" }";

fn fixed(limits: &str) -> String {
    format!("[[routes]]\nid = \"r\"\n{FIXED}\nmodifiers.rate_limits = {limits}\n")
}

#[tokio::test]
async fn all_limits_of_a_route_count_and_all_are_told() {
    let limits = [limit("all", &[Subject::Route], 5), limit("each", &[Subject::Key], 2)];
    let others = with(&limits);
    let address = Rate { per_minute: 60, burst: 50 };
    let config = Config { rate_limits: RateLimits { address, ..others.rate_limits }, ..others };
    let edge = routed(config, &fixed("[\"all\", { name = \"each\", cost = 2 }]"));

    let first = edge.get("/", "Authorization: a\r\n").await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"address\";q=50;w=50, \"all\";q=5;w=50, \"each\";q=2;w=20"));
    assert_eq!(first.header("ratelimit"), Some("\"address\";r=49;t=1, \"all\";r=4;t=10, \"each\";r=0;t=20"));
    let second = edge.get("/", "Authorization: a\r\n").await;
    assert_eq!((second.status, second.header("retry-after")), (429, Some("20")));
    assert!(second.body.contains("edge.rate_limited") && second.body.contains("\"retryable\":true"), "{second:?}");
    let third = edge.get("/", "Authorization: b\r\n").await;
    assert_eq!(third.status, 200);
    assert!(third.header("ratelimit").unwrap().contains("\"all\";r=2"), "what was refused was charged, too: {third:?}");
}

#[tokio::test]
async fn a_dry_run_refuses_nobody() {
    let dry = NamedLimit { dry_run: true, ..limit("dry", &[Subject::Address], 1) };
    let edge = routed(with(&[dry]), &fixed("[\"dry\"]"));

    for _ in 0..5 {
        let answer = edge.get("/", "").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, None));
    }
}

#[tokio::test]
async fn of_64_requests_at_once_exactly_the_burst_is_let_in() {
    let edge = Arc::new(routed(with(&[limit("few", &[Subject::Address], 10)]), &fixed("[\"few\"]")));
    let (gate, mut tasks) = (Arc::new(Barrier::new(64)), JoinSet::new());
    for _ in 0..64 {
        let (gate, edge): (_, Arc<Routed>) = (Arc::clone(&gate), Arc::clone(&edge));
        tasks.spawn(async move {
            let mut client = edge.connect().await;
            gate.wait().await;
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            client.answer().await.status
        });
    }

    let statuses = tasks.join_all().await;

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 54, "{statuses:?}");
}

#[tokio::test]
async fn an_account_is_known_by_whatever_it_comes_by() {
    let service = Service::named("inside").await;
    let limits = [limit("mine", &[Subject::Account], 2)];
    for require in ["", "modifiers.require = { login = true }"] {
        let routes = format!(
            "[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n{require}\n\
             modifiers.rate_limits = [\"mine\"]\n{}",
            service.pool("p")
        );
        let edge = guarded_with(with(&limits), &routes, doorkeeper());

        assert_eq!(edge.get("/", "Authorization: Bearer ada\r\n").await.status, 200);
        assert_eq!(edge.get("/", "Cookie: session=ada\r\n").await.status, 200);
        assert_eq!(edge.get("/", "Authorization: Bearer ada\r\n").await.status, 429);
        let nobody = edge.get("/", "").await.status;
        assert_eq!(nobody, if require.is_empty() { 200 } else { 401 }, "nobody counts by address");
    }
}

#[tokio::test]
async fn who_can_t_be_told_is_limited_by_address_and_not_turned_away() {
    let edge = guarded_with(with(&[limit("mine", &[Subject::Tenant], 2)]), &fixed("[\"mine\"]"), doorkeeper());
    let mut statuses = Vec::new();
    for credential in ["Bearer away", "Bearer eve", "Bearer away"] {
        statuses.push(edge.get("/", &format!("Authorization: {credential}\r\n")).await.status);
    }

    assert_eq!(statuses, [200, 200, 429]);
}
