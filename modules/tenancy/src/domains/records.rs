//! The records that a domain needs, as its owner is told to set them.

use std::net::IpAddr;

use edge_dns::{Question, Targets};

use crate::domains::config::DomainsConfig;
use crate::domains::model::DomainRecord;

/// What is to be found out about a domain.
pub(crate) fn question(config: &DomainsConfig, name: &str, token: &str) -> Question {
    let targets = Targets { addresses: config.targets.addresses.clone(), host: config.targets.host.clone() };
    Question { name: name.to_owned(), token: token.to_owned(), targets, issuers: config.caa_issuers.clone() }
}

/// The proof, and where targets are known the way here: one CNAME, or where none can stand A and AAAA.
pub(crate) fn records(config: &DomainsConfig, name: &str, token: &str) -> Vec<DomainRecord> {
    let question = question(config, name, token);
    let record = |purpose: &str, kind: &str, name: &str, value: &str| DomainRecord {
        purpose: purpose.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let mut records = vec![record("proof", "TXT", &question.proof_name(), &question.proof_value())];
    let apex = !question.is_wildcard() && question.base() == question.registered();
    match &question.targets.host {
        Some(host) if !apex => records.push(record("address", "CNAME", name, host)),
        Some(host) if question.targets.addresses.is_empty() => records.push(record("address", "ALIAS", name, host)),
        _ => records.extend(question.targets.addresses.iter().map(|address| {
            let kind = if matches!(address, IpAddr::V4(_)) { "A" } else { "AAAA" };
            record("address", kind, name, &address.to_string())
        })),
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::config::Targets;

    fn kinds(targets: &[&str], name: &str) -> Vec<(String, String, String)> {
        let targets = Targets::try_from(targets.iter().map(|&it| it.to_owned()).collect::<Vec<_>>()).unwrap();
        let config = DomainsConfig { targets, ..DomainsConfig::default() };
        let all = records(&config, name, "abc").into_iter();
        all.map(|it| (it.kind, it.name, it.value)).collect()
    }

    fn row(kind: &str, name: &str, value: &str) -> (String, String, String) {
        (kind.to_owned(), name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_name_gets_an_alias_and_an_apex_what_can_stand_there() {
        let proof = |name: &str| row("TXT", &format!("_holdfast.{name}"), "holdfast-verification=abc");
        let (host, address) = ("edge.holdfast.example", "192.0.2.1");

        assert_eq!(kinds(&[], "app.customer.com"), [proof("app.customer.com")]);
        assert_eq!(
            kinds(&[host, address], "app.customer.com"),
            [proof("app.customer.com"), row("CNAME", "app.customer.com", host)]
        );
        assert_eq!(
            kinds(&[host, address, "2001:db8::1"], "customer.com"),
            [proof("customer.com"), row("A", "customer.com", address), row("AAAA", "customer.com", "2001:db8::1")]
        );
        assert_eq!(kinds(&[host], "customer.com")[1], row("ALIAS", "customer.com", host));
        assert_eq!(kinds(&[host], "*.customer.com"), [proof("customer.com"), row("CNAME", "*.customer.com", host)]);
    }
}
