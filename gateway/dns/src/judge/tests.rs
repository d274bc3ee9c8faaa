//! Answers and what they come to.

use std::net::IpAddr;

use super::judge;
use crate::answers::{Answer, Caa, Heard};
use crate::finding::{Diagnosis, MAX_LINE, MAX_LINES, Standing};
use crate::question::{Question, Targets};

const TOKEN: &str = "holdfast-verification=abc";

fn question(name: &str) -> Question {
    Question {
        name: name.to_owned(),
        token: "abc".to_owned(),
        targets: Targets {
            addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            host: Some("edge.example.net".to_owned()),
        },
        issuers: vec!["letsencrypt.org".to_owned()],
    }
}

/// A resolver that says that all is well.
fn well(resolver: &str) -> Heard {
    Heard {
        resolver: resolver.to_owned(),
        proof: Answer::Records(vec![TOKEN.to_owned()]),
        ipv4: Answer::Records(vec!["192.0.2.1".parse().unwrap()]),
        ipv6: Answer::Nothing,
        alias: Answer::Nothing,
        target: vec!["192.0.2.1".parse().unwrap()],
        caa: vec![("app.customer.com".to_owned(), Answer::Nothing), ("customer.com".to_owned(), Answer::Nothing)],
    }
}

fn silent(resolver: &str) -> Heard {
    let why = || "no answer in 2 s".to_owned();
    Heard {
        resolver: resolver.to_owned(),
        proof: Answer::Failed(why()),
        ipv4: Answer::Failed(why()),
        ipv6: Answer::Failed(why()),
        alias: Answer::Failed(why()),
        target: Vec::new(),
        caa: vec![("app.customer.com".to_owned(), Answer::Failed(why()))],
    }
}

fn addresses(texts: &[&str]) -> Heard {
    let (four, six): (Vec<IpAddr>, Vec<IpAddr>) =
        texts.iter().map(|text| text.parse::<IpAddr>().unwrap()).partition(IpAddr::is_ipv4);
    let four: Vec<_> = four.iter().filter_map(|it| if let IpAddr::V4(it) = it { Some(*it) } else { None }).collect();
    let six: Vec<_> = six.iter().filter_map(|it| if let IpAddr::V6(it) = it { Some(*it) } else { None }).collect();
    let answer4 = if four.is_empty() { Answer::Nothing } else { Answer::Records(four) };
    let answer6 = if six.is_empty() { Answer::Nothing } else { Answer::Records(six) };
    Heard { ipv4: answer4, ipv6: answer6, ..well("a") }
}

fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
    diagnosis.findings.iter().map(|finding| finding.cause.code()).collect()
}

fn record(tag: &str, value: &str) -> Caa {
    Caa { critical: false, tag: tag.to_owned(), value: value.to_owned() }
}

#[test]
fn all_is_well() {
    let diagnosis = judge(&question("app.customer.com"), &[well("a"), well("b")]);

    assert_eq!((diagnosis.proof, diagnosis.address, diagnosis.caa), (Standing::Ok, Standing::Ok, Standing::Ok));
    assert_eq!(diagnosis.findings, []);
}

#[test]
fn a_proof_is_the_very_value_and_quotes_don_t_matter() {
    let text = |texts: &[&str]| Answer::Records(texts.iter().map(|&text| text.to_owned()).collect());
    for (proof, standing, code) in [
        (text(&["v=spf1 -all", TOKEN]), Standing::Ok, None),
        (text(&[" \"holdfast-verification=abc\" "]), Standing::Ok, None),
        (text(&["holdfast-verification=abd"]), Standing::Wrong, Some("dns.proof_wrong")),
        (text(&["holdfast-verification=ABC"]), Standing::Wrong, Some("dns.proof_wrong")),
        (text(&["abc"]), Standing::Wrong, Some("dns.proof_missing")),
        (Answer::Nothing, Standing::Wrong, Some("dns.proof_missing")),
        (Answer::NoSuchName, Standing::Wrong, Some("dns.proof_missing")),
    ] {
        let diagnosis = judge(&question("app.customer.com"), &[Heard { proof: proof.clone(), ..well("a") }]);
        assert_eq!(diagnosis.proof, standing, "{proof:?}");
        assert_eq!(codes(&diagnosis).first().copied(), code, "{proof:?}");
        for finding in &diagnosis.findings {
            assert!(finding.mend.contains(TOKEN), "{}", finding.mend);
        }
    }
}

#[test]
fn addresses_lead_here_or_are_told_apart() {
    for (seen, standing, code) in [
        (vec!["192.0.2.1"], Standing::Ok, None),
        (vec!["192.0.2.1", "2001:db8::1"], Standing::Ok, None),
        (vec!["2001:db8::1"], Standing::Ok, None),
        (vec![], Standing::Wrong, Some("dns.no_address")),
        (vec!["198.51.100.7"], Standing::Wrong, Some("dns.wrong_target")),
        (vec!["192.0.2.1", "2001:db8::9"], Standing::Wrong, Some("dns.ipv6_elsewhere")),
        (vec!["192.0.2.1", "198.51.100.7"], Standing::Wrong, Some("dns.partly_elsewhere")),
        (vec!["198.51.100.7", "2001:db8::1"], Standing::Wrong, Some("dns.partly_elsewhere")),
        (vec!["104.16.1.1", "2606:4700::1"], Standing::Unknown, Some("dns.proxied")),
    ] {
        let diagnosis = judge(&question("app.customer.com"), &[addresses(&seen)]);
        assert_eq!(diagnosis.address, standing, "{seen:?}");
        assert_eq!(codes(&diagnosis), code.into_iter().collect::<Vec<_>>(), "{seen:?}");
    }
}

#[test]
fn an_alias_for_the_target_is_enough_and_what_its_addresses_are_is_ours_to_know() {
    let alias = Answer::Records(vec!["edge.example.net".to_owned()]);
    let heard = Heard { alias, target: Vec::new(), ..addresses(&["198.51.100.7"]) };
    assert_eq!(judge(&question("app.customer.com"), &[heard]).address, Standing::Ok);

    let flattened = Heard { target: vec!["198.51.100.7".parse().unwrap()], ..addresses(&["198.51.100.7"]) };
    assert_eq!(judge(&question("customer.com"), &[flattened]).address, Standing::Ok, "an ALIAS at the apex");
}

#[test]
fn without_targets_addresses_are_not_looked_at_and_a_target_without_address_is_said_so() {
    let none = Question { targets: Targets::default(), ..question("app.customer.com") };
    let diagnosis = judge(&none, &[addresses(&["198.51.100.7"])]);
    assert_eq!((diagnosis.address, diagnosis.findings.len()), (Standing::NotChecked, 0));

    let host = Targets { addresses: Vec::new(), host: Some("edge.example.net".to_owned()) };
    let lost = Question { targets: host, ..question("app.customer.com") };
    let heard = Heard { target: Vec::new(), ..addresses(&["198.51.100.7"]) };
    assert_eq!(codes(&judge(&lost, &[heard])), ["dns.target_unresolved"]);
}

#[test]
fn the_nearest_caa_records_decide() {
    let issue = |value: &str| Answer::Records(vec![record("issue", value)]);
    let at = |name: &str, answer: &Answer<Caa>| (name.to_owned(), answer.clone());
    let (app, apex) = ("app.customer.com", "customer.com");
    let table = [
        (app, vec![at(app, &issue("letsencrypt.org"))], Standing::Ok),
        (app, vec![at(app, &issue("LetsEncrypt.org ; accounturi=https://x"))], Standing::Ok),
        (app, vec![at(app, &issue(";"))], Standing::Wrong),
        (app, vec![at(app, &issue("other.example"))], Standing::Wrong),
        (app, vec![at(app, &Answer::Nothing), at(apex, &issue("other.example"))], Standing::Wrong),
        (app, vec![at(app, &Answer::NoSuchName), at(apex, &issue("letsencrypt.org"))], Standing::Ok),
        (app, vec![at(app, &Answer::Records(vec![record("iodef", "mailto:a@b.c")]))], Standing::Ok),
        (
            app,
            vec![at(app, &Answer::Records(vec![record("issue", "letsencrypt.org"), record("issuewild", ";")]))],
            Standing::Ok,
        ),
        (
            "*.customer.com",
            vec![at(apex, &Answer::Records(vec![record("issue", "letsencrypt.org"), record("issuewild", ";")]))],
            Standing::Wrong,
        ),
        ("*.customer.com", vec![at(apex, &issue("letsencrypt.org"))], Standing::Ok),
        (app, vec![at(app, &Answer::Records(vec![Caa { critical: true, ..record("tbs", "x") }]))], Standing::Wrong),
        (app, vec![at(app, &Answer::Failed("SERVFAIL".to_owned()))], Standing::Unknown),
    ];
    for (name, caa, standing) in table {
        let diagnosis = judge(&question(name), &[Heard { caa: caa.clone(), ..well("a") }]);
        assert_eq!(diagnosis.caa, standing, "{name} {caa:?}");
        let code = match standing {
            Standing::Wrong => vec!["dns.caa_forbids"],
            Standing::Unknown => vec!["dns.caa_unreadable"],
            Standing::Ok | Standing::NotChecked => vec![],
        };
        assert_eq!(codes(&diagnosis), code, "{name} {caa:?}");
    }
    let unasked = Question { issuers: Vec::new(), ..question(app) };
    assert_eq!(judge(&unasked, &[well("a")]).caa, Standing::NotChecked);
}

#[test]
fn a_domain_that_does_not_exist_is_the_only_finding() {
    let caa = vec![
        ("app.customer.com".to_owned(), Answer::NoSuchName),
        ("customer.com".to_owned(), Answer::NoSuchName),
        ("com".to_owned(), Answer::Nothing),
    ];
    let heard =
        Heard { proof: Answer::NoSuchName, ipv4: Answer::NoSuchName, ipv6: Answer::NoSuchName, caa, ..well("a") };

    let diagnosis = judge(&question("app.customer.com"), &[heard.clone(), heard]);

    assert_eq!(codes(&diagnosis), ["dns.no_such_domain"]);
    assert!(diagnosis.findings[0].sentence.contains("customer.com"));
    assert_eq!(diagnosis.proof, Standing::Wrong);
}

#[test]
fn one_that_is_silent_and_one_that_lies_decide_nothing_where_there_are_three() {
    let without = |resolver: &str| Heard { proof: Answer::Nothing, ..well(resolver) };
    let name = question("app.customer.com");

    let diagnosis = judge(&name, &[well("a"), silent("b"), well("c")]);
    assert_eq!((diagnosis.proof, codes(&diagnosis)), (Standing::Ok, vec![]));

    let diagnosis = judge(&name, &[without("a"), well("liar"), without("c")]);
    assert_eq!(diagnosis.proof, Standing::Wrong);
    assert_eq!(codes(&diagnosis), ["dns.proof_missing", "dns.resolvers_disagree"]);

    let diagnosis = judge(&name, &[well("a"), without("b")]);
    assert_eq!(diagnosis.proof, Standing::Unknown, "one against one");
    assert!(codes(&diagnosis).contains(&"dns.resolvers_disagree"));

    let diagnosis = judge(&name, &[well("a"), silent("b"), silent("c")]);
    assert_eq!(diagnosis.proof, Standing::Unknown, "one of three is too few");
    assert!(codes(&diagnosis).contains(&"dns.resolvers_unreachable"));

    let diagnosis = judge(&name, &[silent("a"), silent("b")]);
    assert_eq!((diagnosis.proof, codes(&diagnosis)), (Standing::Unknown, vec!["dns.resolvers_unreachable"]));
    assert_eq!(diagnosis.findings[0].evidence, ["a: no answer in 2 s", "b: no answer in 2 s"]);
    assert_eq!(judge(&name, &[]).proof, Standing::Unknown);
}

#[test]
fn evidence_is_bounded_and_plain() {
    let long = format!("x\u{7}\n{}", "y".repeat(5000));
    let many: Vec<Heard> = (0..40)
        .map(|number| Heard {
            proof: Answer::Records(vec![long.clone(); 50]),
            ..well(&format!("{number}{}", "z".repeat(400)))
        })
        .collect();

    let diagnosis = judge(&question("app.customer.com"), &many);

    let evidence = &diagnosis.findings[0].evidence;
    assert_eq!(evidence.len(), MAX_LINES);
    assert!(evidence.iter().all(|line| line.chars().count() <= MAX_LINE + 1 && !line.contains(char::is_control)));
}
