//! Real questions to name servers of this machine: one that answers, one that hangs, one that lies.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge_dns::{Question, Resolvers, Standing, Targets};
use testkit::Dns;

const TIME: Duration = Duration::from_millis(500);

fn question(name: &str) -> Question {
    Question {
        name: name.to_owned(),
        token: "abc".to_owned(),
        targets: Targets { addresses: vec!["192.0.2.1".parse().unwrap()], host: Some("edge.example.net".to_owned()) },
        issuers: vec!["letsencrypt.org".to_owned()],
    }
}

/// A server that says that all is well.
async fn well() -> Dns {
    let dns = Dns::start().await;
    dns.texts("_holdfast.app.customer.com", &["v=spf1 -all", "holdfast-verification=abc"]);
    dns.alias("app.customer.com", "edge.example.net");
    dns.addresses("edge.example.net", &["192.0.2.1"]);
    dns.caa("customer.com", &[("issue", "letsencrypt.org"), ("iodef", "mailto:a@customer.com")]);
    dns
}

fn resolvers(servers: &[&Dns]) -> Resolvers {
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address()).collect();
    Resolvers::new(&addresses, TIME).unwrap()
}

#[tokio::test]
async fn a_name_that_is_as_it_ought_to_be_has_no_findings() {
    let (one, two) = (well().await, well().await);

    let diagnosis = resolvers(&[&one, &two]).diagnose(&question("app.customer.com")).await;

    assert_eq!(diagnosis.findings, []);
    assert_eq!((diagnosis.proof, diagnosis.address, diagnosis.caa), (Standing::Ok, Standing::Ok, Standing::Ok));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_was_seen() {
    let dns = well().await;
    dns.texts("_holdfast.shop.customer.com", &["holdfast-verification=old"]);
    dns.addresses("shop.customer.com", &["198.51.100.7", "2001:db8::9"]);
    dns.caa("shop.customer.com", &[("issue", ";")]);

    let diagnosis = resolvers(&[&dns]).diagnose(&question("shop.customer.com")).await;

    let codes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause.code()).collect();
    assert_eq!(codes, ["dns.proof_wrong", "dns.wrong_target", "dns.caa_forbids"]);
    let evidence = |number: usize| diagnosis.findings[number].evidence.join("\n");
    assert!(evidence(0).contains("holdfast-verification=old"), "{}", evidence(0));
    assert!(evidence(1).contains("198.51.100.7, 2001:db8::9"), "{}", evidence(1));
    assert!(evidence(2).contains("CAA at shop.customer.com"), "{}", evidence(2));
}

#[tokio::test]
async fn a_domain_that_does_not_exist_and_one_without_records_are_told_apart() {
    let dns = well().await;

    let nowhere = resolvers(&[&dns]).diagnose(&question("app.custoner.com")).await;
    let bare = resolvers(&[&dns]).diagnose(&question("shop.customer.com")).await;

    let codes = |it: &edge_dns::Diagnosis| it.findings.iter().map(|it| it.cause.code()).collect::<Vec<_>>();
    assert_eq!(codes(&nowhere), ["dns.no_such_domain"]);
    assert_eq!(codes(&bare), ["dns.proof_missing", "dns.no_address"]);
}

#[tokio::test]
async fn a_wildcard_is_asked_by_a_label_below_it() {
    let dns = well().await;
    dns.texts("_holdfast.customer.com", &["holdfast-verification=abc"]);
    dns.addresses("holdfast-check.customer.com", &["192.0.2.1"]);

    let diagnosis = resolvers(&[&dns]).diagnose(&question("*.customer.com")).await;

    assert_eq!(diagnosis.findings, []);
}

#[tokio::test]
async fn one_that_hangs_costs_its_own_time_and_one_that_lies_is_outvoted() {
    let (one, two, hanging, liar) = (well().await, well().await, well().await, Dns::start().await);
    hanging.hang();
    liar.addresses("app.customer.com", &["198.51.100.66"]);

    let begun = Instant::now();
    let diagnosis = resolvers(&[&one, &hanging, &liar, &two]).diagnose(&question("app.customer.com")).await;

    assert!(begun.elapsed() < 8 * TIME, "{:?}", begun.elapsed());
    assert_eq!((diagnosis.proof, diagnosis.address), (Standing::Ok, Standing::Ok));
    let codes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause.code()).collect();
    assert_eq!(codes, ["dns.resolvers_disagree", "dns.resolvers_disagree"], "{:?}", diagnosis.findings);

    let alone = resolvers(&[&hanging]).diagnose(&question("app.customer.com")).await;
    assert_eq!(alone.proof, Standing::Unknown);
    assert_eq!(alone.findings[0].cause.code(), "dns.resolvers_unreachable");
    one.fail();
    let failing = resolvers(&[&one]).diagnose(&question("app.customer.com")).await;
    assert_eq!(failing.findings[0].cause.code(), "dns.resolvers_unreachable", "{:?}", failing.findings);
}
