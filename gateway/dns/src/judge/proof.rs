//! Whether the TXT record is there that proves who may have the name.

use crate::answers::{Answer, Heard};
use crate::finding::{Cause, Finding};
use crate::judge::count::{Count, Seen};
use crate::judge::evidence;
use crate::question::{PROOF_PREFIX, Question};

/// Texts of a resolver that are shown.
const SHOWN: usize = 3;

pub(super) fn see(question: &Question, heard: &Heard) -> Seen {
    let wanted = question.proof_value();
    match &heard.proof {
        Answer::Failed(_) => Seen::Silent(None),
        Answer::Records(texts) if texts.iter().any(|text| plain(text) == wanted) => Seen::Right,
        Answer::Records(texts) if texts.iter().any(|text| plain(text).starts_with(PROOF_PREFIX)) => {
            Seen::Wrong(Cause::ProofWrong)
        }
        Answer::Records(_) | Answer::Nothing | Answer::NoSuchName => Seen::Wrong(Cause::ProofMissing),
    }
}

/// Without the blanks and quotes that come along when a value is copied.
fn plain(text: &str) -> &str {
    text.trim().trim_matches('"').trim()
}

pub(super) fn finding(question: &Question, heard: &[Heard], count: &Count) -> Option<Finding> {
    let (name, value) = (question.proof_name(), question.proof_value());
    let cause = count.cause()?;
    let (sentence, mend) = match cause {
        Cause::ProofWrong => (
            format!("The TXT record at {name} has another value."),
            format!("Set it to {value}. Values of earlier claims and of other tenants don't count and can be removed."),
        ),
        _ => (
            format!("There is no TXT record with the proof at {name}."),
            format!(
                "Add a TXT record at {name} with the value {value}. Some DNS providers append the domain themselves: \
                 then leave it out of the record's name."
            ),
        ),
    };
    Some(Finding { cause, sentence, evidence: evidence(heard, |one| seen(&name, one)), mend })
}

fn seen(name: &str, heard: &Heard) -> Option<String> {
    match &heard.proof {
        Answer::Failed(_) => None,
        Answer::Nothing => Some(format!("no TXT record at {name}")),
        Answer::NoSuchName => Some(format!("nothing at {name} (NXDOMAIN)")),
        Answer::Records(texts) => {
            let shown: Vec<String> = texts.iter().take(SHOWN).map(|text| format!("{:.90?}", plain(text))).collect();
            let more = texts.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!("TXT {}{more}", shown.join(", ")))
        }
    }
}
