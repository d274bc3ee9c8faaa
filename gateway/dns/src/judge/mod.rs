//! From answers to a diagnosis. No network, no time.

mod address;
mod caa;
mod count;
mod proof;
#[cfg(test)]
mod tests;

use crate::answers::Heard;
use crate::finding::{Cause, Diagnosis, Finding, MAX_LINES, Standing, line};
use crate::question::Question;

use count::{Count, Seen};

/// Judges what all resolvers said. A part stands as most of them say, if at least half of all said anything about it;
/// so neither one that is silent nor one that lies decides alone where there are three.
pub fn judge(question: &Question, heard: &[Heard]) -> Diagnosis {
    let registered = question.registered();
    let unregistered: Vec<&Heard> = heard.iter().filter(|one| one.lacks(registered)).collect();
    if unregistered.len() * 2 > heard.len() {
        return no_such_domain(registered, heard);
    }
    let proof = Count::of(heard, |one| proof::see(question, one));
    let address = Count::of(heard, |one| address::see(question, one));
    let caa = Count::of(heard, |one| caa::see(question, one));
    let mut findings = Vec::new();
    if proof.told() == 0 && address.told() == 0 {
        findings.push(unreachable(heard));
    } else {
        findings.extend(proof::finding(question, heard, &proof));
        findings.extend(address::finding(question, heard, &address));
        findings.extend(caa::finding(question, heard, &caa));
        for (count, about) in [(&proof, "the TXT record"), (&address, "the addresses"), (&caa, "the CAA records")] {
            findings.extend(disagreement(heard, count, about));
        }
        if [&proof, &address].iter().any(|it| it.silent() * 2 > heard.len()) {
            findings.push(unreachable(heard));
        }
    }
    findings.sort_by_key(|finding| finding.cause);
    Diagnosis { proof: proof.standing(), address: address.standing(), caa: caa.standing(), findings }
}

fn no_such_domain(registered: &str, heard: &[Heard]) -> Diagnosis {
    let finding = Finding {
        cause: Cause::NoSuchDomain,
        sentence: format!("The domain {registered} does not exist."),
        evidence: evidence(heard, |one| one.lacks(registered).then(|| format!("NXDOMAIN for {registered}"))),
        mend: "Check the name for a typing error. If it is right, register the domain, or renew it.".to_owned(),
    };
    Diagnosis { proof: Standing::Wrong, address: Standing::Wrong, caa: Standing::Unknown, findings: vec![finding] }
}

fn unreachable(heard: &[Heard]) -> Finding {
    let failure = |one: &Heard| {
        let failed = one.proof.failure().or(one.ipv4.failure()).or(one.ipv6.failure());
        failed.map(str::to_owned)
    };
    Finding {
        cause: Cause::ResolversUnreachable,
        sentence: "Too few resolvers gave an answer to judge by.".to_owned(),
        evidence: evidence(heard, failure),
        mend: "Nothing to do for the domain's owner: it is tried again. If it lasts, check the name servers of the \
               domain (DNSSEC too) and, as the operator, tenancy.domains.resolvers."
            .to_owned(),
    }
}

fn disagreement(heard: &[Heard], count: &Count, about: &str) -> Option<Finding> {
    let (right, wrong) = (count.right(), count.wrong());
    (right > 0 && wrong > 0).then(|| Finding {
        cause: Cause::ResolversDisagree,
        sentence: format!("The resolvers don't agree about {about}: {right} as it ought to be, {wrong} not."),
        evidence: evidence_of(heard, count, |seen| Some(if *seen == Seen::Right { "right" } else { "not right" })),
        mend: "Wait until the change has spread (the former record's TTL). If it lasts, the domain's name servers \
               don't serve the same zone: ask the DNS provider."
            .to_owned(),
    })
}

/// A line for each resolver that has something to say.
fn evidence(heard: &[Heard], say: impl Fn(&Heard) -> Option<String>) -> Vec<String> {
    let lines = heard.iter().filter_map(|one| say(one).map(|what| line(&format!("{}: {what}", one.resolver))));
    lines.take(MAX_LINES).collect()
}

/// A line for each resolver, by how it saw the part.
fn evidence_of(heard: &[Heard], count: &Count, say: impl Fn(&Seen) -> Option<&'static str>) -> Vec<String> {
    let lines = heard.iter().zip(count.each()).filter_map(|(one, seen)| {
        let what = if matches!(seen, Seen::Silent(_)) { None } else { say(seen) };
        what.map(|what| line(&format!("{}: {what}", one.resolver)))
    });
    lines.take(MAX_LINES).collect()
}
