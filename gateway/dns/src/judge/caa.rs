//! Whether CAA records let one of our CAs issue (RFC 8659).

use crate::answers::{Answer, Caa, Heard};
use crate::finding::{Cause, Finding};
use crate::judge::count::{Count, Seen};
use crate::judge::evidence;
use crate::question::Question;

/// The tags that are understood here; another one that is critical forbids.
const KNOWN: &[&str] = &["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];
/// Records of a resolver that are shown.
const SHOWN: usize = 6;

pub(super) fn see(question: &Question, heard: &Heard) -> Seen {
    if question.issuers.is_empty() {
        return Seen::NotChecked;
    }
    for (_, answer) in &heard.caa {
        match answer {
            Answer::Failed(_) => return Seen::Silent(Some(Cause::CaaUnreadable)),
            Answer::Records(records) => {
                let allowed = allows(records, question.is_wildcard(), &question.issuers);
                return if allowed { Seen::Right } else { Seen::Wrong(Cause::CaaForbids) };
            }
            Answer::Nothing | Answer::NoSuchName => {}
        }
    }
    Seen::Right
}

/// Whether these records, the nearest there are, let one of the issuers issue.
fn allows(records: &[Caa], wildcard: bool, issuers: &[String]) -> bool {
    let tagged = |tag: &str| records.iter().filter(move |record| record.tag.eq_ignore_ascii_case(tag)).collect();
    let known = |record: &Caa| KNOWN.iter().any(|tag| record.tag.eq_ignore_ascii_case(tag));
    if records.iter().any(|record| record.critical && !known(record)) {
        return false;
    }
    let wild: Vec<&Caa> = tagged("issuewild");
    let relevant: Vec<&Caa> = if wildcard && !wild.is_empty() { wild } else { tagged("issue") };
    relevant.is_empty() || relevant.iter().any(|record| issuers.iter().any(|issuer| names(record, issuer)))
}

/// Whether the record names this issuer: the part before the parameters.
fn names(record: &Caa, issuer: &str) -> bool {
    record.value.split(';').next().is_some_and(|named| named.trim().eq_ignore_ascii_case(issuer))
}

pub(super) fn finding(question: &Question, heard: &[Heard], count: &Count) -> Option<Finding> {
    let cause = count.cause()?;
    let tag = if question.is_wildcard() { "issuewild" } else { "issue" };
    let issuer = question.issuers.first().map_or("", String::as_str);
    let (sentence, mend) = if cause == Cause::CaaForbids {
        (
            format!("A CAA record forbids our certificate authority to issue for {}.", question.name),
            format!("Add the CAA record 0 {tag} \"{issuer}\" beside the present ones, or remove them all."),
        )
    } else {
        (
            format!("The CAA records of {} can't be read, and certificate authorities refuse then.", question.name),
            "Ask the DNS provider why questions for CAA fail; most often DNSSEC is broken.".to_owned(),
        )
    };
    Some(Finding { cause, sentence, evidence: evidence(heard, seen), mend })
}

fn seen(heard: &Heard) -> Option<String> {
    let (name, answer) = heard.caa.last()?;
    match answer {
        Answer::Records(records) => {
            let shown = records.iter().take(SHOWN).map(|it| format!("{} {:.60?}", it.tag, it.value));
            Some(format!("CAA at {name}: {}", shown.collect::<Vec<_>>().join(", ")))
        }
        Answer::Failed(why) => Some(format!("CAA at {name}: {why}")),
        Answer::Nothing | Answer::NoSuchName => None,
    }
}
