//! Whether the name leads here, and nowhere else.

use std::net::IpAddr;

use crate::answers::{Answer, Heard};
use crate::finding::{Cause, Finding};
use crate::judge::count::{Count, Seen};
use crate::judge::evidence;
use crate::proxies;
use crate::question::Question;

/// Addresses of a resolver that are shown.
const SHOWN: usize = 6;

pub(super) fn see(question: &Question, heard: &Heard) -> Seen {
    let targets = &question.targets;
    if targets.is_empty() {
        return Seen::NotChecked;
    }
    if targets.host.as_ref().is_some_and(|host| heard.alias.records().contains(host)) {
        return Seen::Right;
    }
    let failed = heard.ipv4.failure().is_some() || heard.ipv6.failure().is_some();
    let ours = |address: &IpAddr| targets.addresses.contains(address) || heard.target.contains(address);
    let (here, elsewhere): (Vec<IpAddr>, Vec<IpAddr>) = heard.addresses().partition(ours);
    match (here.is_empty(), elsewhere.is_empty()) {
        (true, true) if failed => Seen::Silent(None),
        (true, true) => Seen::Wrong(Cause::NoAddress),
        (false, true) => Seen::Right,
        (true, false) if elsewhere.iter().any(|address| proxies::owner(*address).is_some()) => {
            Seen::Veiled(Cause::Proxied)
        }
        (true, false) if targets.addresses.is_empty() && heard.target.is_empty() => {
            Seen::Silent(Some(Cause::TargetUnresolved))
        }
        (true, false) => Seen::Wrong(Cause::WrongTarget),
        (false, false) if elsewhere.iter().all(IpAddr::is_ipv6) && here.iter().any(IpAddr::is_ipv4) => {
            Seen::Wrong(Cause::Ipv6Elsewhere)
        }
        (false, false) => Seen::Wrong(Cause::PartlyElsewhere),
    }
}

pub(super) fn finding(question: &Question, heard: &[Heard], count: &Count) -> Option<Finding> {
    let cause = count.cause()?;
    let name = &question.name;
    let here = wanted(question);
    let (sentence, mend) = match cause {
        Cause::NoAddress => {
            (format!("{name} has no address: neither an A nor an AAAA record."), format!("Add {here}."))
        }
        Cause::WrongTarget => (
            format!("{name} leads somewhere else."),
            format!("Replace its A, AAAA or CNAME records by {here}. Visitors come here once the change has spread."),
        ),
        Cause::PartlyElsewhere => (
            format!("Some addresses of {name} lead here, others somewhere else."),
            format!("Leave only {here}; remove the other records."),
        ),
        Cause::Ipv6Elsewhere => (
            format!("The A record of {name} leads here, its AAAA record somewhere else."),
            "Remove the AAAA record, or let it lead here, too: certificate authorities and most visitors take IPv6 \
             first."
                .to_owned(),
        ),
        Cause::Proxied => (
            format!("A proxy{} answers in front of {name}, so where it leads can't be seen.", owner(heard)),
            format!("Switch the proxy off for this record (\"DNS only\"), or let it forward to {here} unchanged."),
        ),
        _ => (
            format!(
                "{} has no address itself, so nothing can lead here by it.",
                question.targets.host.as_deref().unwrap_or("The target")
            ),
            "For the operator: give tenancy.domains.targets a host that has an address, or addresses.".to_owned(),
        ),
    };
    Some(Finding { cause, sentence, evidence: evidence(heard, seen), mend })
}

fn owner(heard: &[Heard]) -> String {
    let owner = heard.iter().flat_map(Heard::addresses).find_map(proxies::owner);
    owner.map(|owner| format!(" ({owner})")).unwrap_or_default()
}

/// What ought to stand there, in words.
fn wanted(question: &Question) -> String {
    let targets = &question.targets;
    let apex = question.base() == question.registered() && !question.is_wildcard();
    match &targets.host {
        Some(host) if !apex => format!("a CNAME record to {host}"),
        Some(host) if targets.addresses.is_empty() => format!("an ALIAS (or ANAME) record to {host}"),
        _ => {
            let records = targets.addresses.iter().map(|address| match address {
                IpAddr::V4(address) => format!("an A record with {address}"),
                IpAddr::V6(address) => format!("an AAAA record with {address}"),
            });
            records.collect::<Vec<_>>().join(" and ")
        }
    }
}

fn seen(heard: &Heard) -> Option<String> {
    let addresses: Vec<String> = heard
        .addresses()
        .take(SHOWN)
        .map(|address| match proxies::owner(address) {
            Some(owner) => format!("{address} ({owner})"),
            None => address.to_string(),
        })
        .collect();
    let alias = heard.alias.records().first().map(|alias| format!("CNAME {alias} "));
    match (addresses.is_empty(), &heard.ipv4) {
        (false, _) => Some(format!("{}{}", alias.unwrap_or_default(), addresses.join(", "))),
        (true, Answer::Failed(_)) => None,
        (true, Answer::NoSuchName) => Some("no such name (NXDOMAIN)".to_owned()),
        (true, _) => Some(format!("{}no A and no AAAA record", alias.unwrap_or_default())),
    }
}
