//! What a check comes to: from how a domain stood and what DNS says now, how it stands, when it is checked again, and
//! what the world is told. No database, no network.

use chrono::{DateTime, TimeDelta, Utc};
use edge_dns::{Diagnosis, Finding, Standing};

use crate::domains::model::{DomainFinding, DomainPart, DomainStatus};

/// The waits between checks that leave something to be waited for, in seconds; the last one goes on.
const WAITS: &[i64] = &[10, 10, 30, 60, 120, 300, 600, 1800, 3600];
/// From this age on, who still waits is looked at once a day.
const PATIENCE: TimeDelta = TimeDelta::days(3);
const DAY: TimeDelta = TimeDelta::days(1);

/// What is known of a domain when a check ends.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) status: DomainStatus,
    /// Held, and nothing in the way.
    pub(crate) ready: bool,
    /// When that was so for the first time.
    pub(crate) ready_at: Option<DateTime<Utc>>,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) proof_missing_since: Option<DateTime<Utc>>,
    pub(crate) tries: i32,
    pub(crate) created_at: DateTime<Utc>,
}

/// The circumstances of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: DateTime<Utc>,
    /// Whether another tenant holds the name.
    pub(crate) held_elsewhere: bool,
    /// For how long a proof may be missing.
    pub(crate) grace: TimeDelta,
    /// Chance in `0.0..1.0`, so that daily checks don't come together.
    pub(crate) chance: f64,
}

/// What the world is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Verified,
    Failing,
    /// The holder lost it.
    Released,
}

/// A step to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewStep {
    pub(crate) status: DomainStatus,
    pub(crate) code: Option<String>,
    pub(crate) sentence: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) mend: Option<String>,
    pub(crate) next_try_at: Option<DateTime<Utc>>,
}

/// What a check came to.
#[derive(Clone, Debug)]
pub(crate) struct Conclusion {
    pub(crate) state: State,
    pub(crate) parts: [DomainPart; 3],
    pub(crate) findings: Vec<DomainFinding>,
    pub(crate) next_check_at: DateTime<Utc>,
    pub(crate) step: NewStep,
    pub(crate) news: Option<News>,
}

/// Judges a check.
pub(crate) fn conclude(before: &State, diagnosis: &Diagnosis, at: Circumstances) -> Conclusion {
    let mut state = before.clone();
    let mut findings: Vec<DomainFinding> = diagnosis.findings.iter().map(finding).collect();
    if state.status.is_held() {
        hold(&mut state, diagnosis, at);
    } else {
        claim(&mut state, diagnosis, at);
        if diagnosis.proof == Standing::Ok && at.held_elsewhere {
            findings.insert(0, held_elsewhere(&state.name, at.grace));
        }
    }
    let unknown = diagnosis.proof == Standing::Unknown;
    let settled = state.ready && state.status == DomainStatus::Verified && !unknown;
    state.tries = if settled { 0 } else { state.tries.saturating_add(1) };
    let next_check_at = at.now + wait(&state, unknown, at);
    let news = news(before, &state);
    let step = step(&state, &findings, news, at.grace, next_check_at);
    let parts = [diagnosis.proof, diagnosis.address, diagnosis.caa].map(part);
    Conclusion { state, parts, findings, next_check_at, step, news }
}

/// A claim: the proof makes its tenant the holder, unless there is one.
fn claim(state: &mut State, diagnosis: &Diagnosis, at: Circumstances) {
    state.ready = false;
    if diagnosis.proof == Standing::Ok && !at.held_elsewhere {
        state.status = DomainStatus::Verified;
        state.verified_at = Some(at.now);
        state.proof_missing_since = None;
        state.tries = 0;
        state.ready = nothing_in_the_way(diagnosis);
        state.ready_at = state.ready.then_some(at.now);
    }
}

/// A holder: what broke makes it fail, and a proof that is missing for too long ends it.
fn hold(state: &mut State, diagnosis: &Diagnosis, at: Circumstances) {
    match diagnosis.proof {
        Standing::Wrong => {
            let since = *state.proof_missing_since.get_or_insert(at.now);
            state.ready = false;
            state.status = DomainStatus::Failing;
            if at.now - since >= at.grace {
                state.status = DomainStatus::Lapsed;
                state.verified_at = None;
                state.ready_at = None;
                state.proof_missing_since = None;
            }
        }
        Standing::Ok => {
            state.proof_missing_since = None;
            state.ready = nothing_in_the_way(diagnosis);
            if state.ready {
                state.status = DomainStatus::Verified;
                state.ready_at.get_or_insert(at.now);
            } else if state.ready_at.is_some() {
                state.status = DomainStatus::Failing;
            } else {
                // It was never in use: still on its way.
                state.status = DomainStatus::Verified;
            }
        }
        // Nobody answered: what was known still holds.
        Standing::Unknown | Standing::NotChecked => {}
    }
}

/// What can't be told, such as behind a proxy, is no reason not to try.
fn nothing_in_the_way(diagnosis: &Diagnosis) -> bool {
    diagnosis.address != Standing::Wrong && diagnosis.caa != Standing::Wrong
}

fn wait(state: &State, unknown: bool, at: Circumstances) -> TimeDelta {
    let backoff = || {
        let place = usize::try_from(state.tries.max(1) - 1).unwrap_or(0).min(WAITS.len() - 1);
        TimeDelta::seconds(WAITS[place])
    };
    let old = at.now - state.verified_at.unwrap_or(state.created_at) >= PATIENCE;
    let wait = match state.status {
        // Whoever left is looked at once a day, and so is whoever is well.
        DomainStatus::Failing | DomainStatus::Lapsed if !unknown => DAY,
        DomainStatus::Verified if state.ready && !unknown => DAY,
        DomainStatus::Pending | DomainStatus::Verified if old && !state.ready => DAY,
        _ => backoff(),
    };
    if wait < TimeDelta::hours(1) {
        return wait;
    }
    // Up to a tenth later, so that those of one moment drift apart and "at most once a day" stays true.
    let later = wait.to_std().unwrap_or_default().mul_f64(0.1 * at.chance);
    wait + TimeDelta::from_std(later).unwrap_or_default()
}

fn news(before: &State, after: &State) -> Option<News> {
    match (before.status.is_held(), after.status.is_held()) {
        (true, false) => Some(News::Released),
        (false, true) => Some(News::Verified),
        (true, true) if after.ready && !before.ready => Some(News::Verified),
        (true, true) if after.status == DomainStatus::Failing && before.status != DomainStatus::Failing => {
            Some(News::Failing)
        }
        _ => None,
    }
}

fn step(
    state: &State,
    findings: &[DomainFinding],
    news: Option<News>,
    grace: TimeDelta,
    next: DateTime<Utc>,
) -> NewStep {
    let plain = |sentence: String| NewStep {
        status: state.status,
        code: None,
        sentence,
        evidence: Vec::new(),
        mend: None,
        next_try_at: Some(next),
    };
    match (news, findings.first()) {
        (Some(News::Released), _) => NewStep {
            code: Some("tenancy.proof_lapsed".to_owned()),
            mend: Some("To have it again, set the new proof that the domain shows.".to_owned()),
            ..plain(format!(
                "The proof was missing for {} days, so {} is no longer this tenant's.",
                grace.num_days(),
                state.name
            ))
        },
        (_, None) => plain(if state.ready {
            format!("{} is proved, and leads here as far as is checked.", state.name)
        } else {
            format!("{} is proved.", state.name)
        }),
        (_, Some(first)) => {
            let proved = if news == Some(News::Verified) { "The proof is there: the name is yours. " } else { "" };
            NewStep {
                code: Some(first.code.clone()),
                evidence: first.evidence.clone(),
                mend: Some(first.mend.clone()),
                ..plain(format!("{proved}{}", first.sentence))
            }
        }
    }
}

fn finding(found: &Finding) -> DomainFinding {
    DomainFinding {
        code: found.cause.code().to_owned(),
        sentence: found.sentence.clone(),
        evidence: found.evidence.clone(),
        mend: found.mend.clone(),
    }
}

/// Who the other one is, is not told.
fn held_elsewhere(name: &str, grace: TimeDelta) -> DomainFinding {
    let base = name.strip_prefix("*.").unwrap_or(name);
    DomainFinding {
        code: "tenancy.domain_held".to_owned(),
        sentence: format!("The proof is there, but another tenant of this installation holds {name}."),
        evidence: Vec::new(),
        mend: format!(
            "If the name is yours, remove the other holdfast-verification values at _holdfast.{base}: a holder whose \
             proof is missing for {} days loses the name, and it becomes yours. Or let the other tenant release it.",
            grace.num_days()
        ),
    }
}

const fn part(standing: Standing) -> DomainPart {
    match standing {
        Standing::Ok => DomainPart::Ok,
        Standing::Wrong => DomainPart::Wrong,
        Standing::Unknown => DomainPart::Unknown,
        Standing::NotChecked => DomainPart::NotChecked,
    }
}

#[cfg(test)]
mod tests {
    use edge_dns::Cause;

    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn new() -> State {
        State {
            name: "app.customer.com".to_owned(),
            status: DomainStatus::Pending,
            ready: false,
            ready_at: None,
            verified_at: None,
            proof_missing_since: None,
            tries: 0,
            created_at: START,
        }
    }

    fn says(proof: Standing, address: Standing) -> Diagnosis {
        let cause = match (proof, address) {
            (Standing::Unknown, _) => Some(Cause::ResolversUnreachable),
            (Standing::Wrong, _) => Some(Cause::ProofMissing),
            (_, Standing::Wrong) => Some(Cause::WrongTarget),
            _ => None,
        };
        let finding = |cause| Finding { cause, sentence: "S.".to_owned(), evidence: vec![], mend: "M.".to_owned() };
        let findings = cause.map(finding).into_iter().collect();
        Diagnosis { proof, address, caa: Standing::NotChecked, findings }
    }

    fn at(after: TimeDelta) -> Circumstances {
        Circumstances { now: START + after, held_elsewhere: false, grace: TimeDelta::days(7), chance: 0.0 }
    }

    fn well() -> State {
        conclude(&new(), &says(Standing::Ok, Standing::Ok), at(TimeDelta::zero())).state
    }

    #[test]
    fn the_proof_makes_a_holder_and_the_address_makes_it_ready() {
        let first = conclude(&new(), &says(Standing::Ok, Standing::Wrong), at(TimeDelta::zero()));
        assert_eq!((first.state.status, first.state.ready), (DomainStatus::Verified, false));
        assert_eq!(first.news, Some(News::Verified));
        assert_eq!(first.next_check_at, START + TimeDelta::seconds(10));

        let then = conclude(&first.state, &says(Standing::Ok, Standing::Ok), at(TimeDelta::minutes(1)));
        assert_eq!((then.state.ready, then.news), (true, Some(News::Verified)));
        assert_eq!(then.next_check_at, START + TimeDelta::minutes(1) + DAY);
        let later = conclude(&then.state, &says(Standing::Ok, Standing::NotChecked), at(TimeDelta::days(1)));
        assert_eq!((later.news, later.step.code), (None, None));
    }

    #[test]
    fn another_holder_stands_in_the_way_and_is_not_named() {
        let elsewhere = Circumstances { held_elsewhere: true, ..at(TimeDelta::zero()) };

        let held = conclude(&new(), &says(Standing::Ok, Standing::Ok), elsewhere);
        assert_eq!((held.state.status, held.news), (DomainStatus::Pending, None));
        assert_eq!(held.step.code.as_deref(), Some("tenancy.domain_held"));
        let unproved = conclude(&new(), &says(Standing::Wrong, Standing::Ok), elsewhere);
        assert_eq!(unproved.step.code.as_deref(), Some("dns.proof_missing"), "told only to who proves the name");
    }

    #[test]
    fn claims_are_looked_at_ever_more_seldom() {
        let mut state = new();
        let mut now = TimeDelta::zero();
        let mut waits = Vec::new();
        for _ in 0..110 {
            let next = conclude(&state, &says(Standing::Wrong, Standing::Wrong), at(now));
            let wait = next.next_check_at - (START + now);
            waits.push(wait.num_seconds());
            now += wait;
            state = next.state;
        }
        assert_eq!(waits[..10], [10, 10, 30, 60, 120, 300, 600, 1800, 3600, 3600]);
        assert_eq!(waits.last(), Some(&86_400));
        let chance = Circumstances { chance: 0.999, ..at(now) };
        let wait = conclude(&state, &says(Standing::Wrong, Standing::Wrong), chance).next_check_at - chance.now;
        assert!(wait >= DAY && wait < TimeDelta::hours(27), "{wait}");
    }

    #[test]
    fn a_holder_whose_proof_goes_has_the_grace_and_then_loses_the_name() {
        let missing = says(Standing::Wrong, Standing::Ok);

        let first = conclude(&well(), &missing, at(TimeDelta::days(1)));
        assert_eq!((first.state.status, first.news), (DomainStatus::Failing, Some(News::Failing)));
        assert_eq!(first.next_check_at, START + TimeDelta::days(2), "once a day");
        let still = conclude(&first.state, &missing, at(TimeDelta::days(7)));
        assert_eq!((still.state.status, still.news), (DomainStatus::Failing, None));
        let back = conclude(&still.state, &says(Standing::Ok, Standing::Ok), at(TimeDelta::days(8)));
        assert_eq!((back.state.status, back.state.proof_missing_since), (DomainStatus::Verified, None));
        assert_eq!(back.news, Some(News::Verified));

        let lost = conclude(&still.state, &missing, at(TimeDelta::days(8)));
        assert_eq!((lost.state.status, lost.news), (DomainStatus::Lapsed, Some(News::Released)));
        assert_eq!(lost.step.code.as_deref(), Some("tenancy.proof_lapsed"));
        let silent = conclude(&lost.state, &missing, at(TimeDelta::days(9)));
        assert_eq!((silent.state.status, silent.next_check_at), (DomainStatus::Lapsed, START + TimeDelta::days(10)));
        let again = conclude(&lost.state, &says(Standing::Ok, Standing::Ok), at(TimeDelta::days(9)));
        assert_eq!((again.state.status, again.news), (DomainStatus::Verified, Some(News::Verified)));
    }

    #[test]
    fn a_name_that_leads_elsewhere_fails_but_stays_whose_it_is() {
        let left = conclude(&well(), &says(Standing::Ok, Standing::Wrong), at(TimeDelta::days(1)));
        assert_eq!((left.state.status, left.news), (DomainStatus::Failing, Some(News::Failing)));
        let far = conclude(&left.state, &says(Standing::Ok, Standing::Wrong), at(TimeDelta::days(400)));
        assert_eq!((far.state.status, far.news), (DomainStatus::Failing, None));
        assert_eq!(far.next_check_at, START + TimeDelta::days(401));
    }

    #[test]
    fn silence_changes_nothing_and_is_asked_again_soon() {
        let silence = says(Standing::Unknown, Standing::Unknown);

        let held = conclude(&well(), &silence, at(TimeDelta::days(1)));
        assert_eq!((held.state.status, held.state.ready, held.news), (DomainStatus::Verified, true, None));
        assert!(held.next_check_at - (START + TimeDelta::days(1)) < TimeDelta::hours(2));
        assert_eq!(held.step.code.as_deref(), Some("dns.resolvers_unreachable"));
        let claimed = conclude(&new(), &silence, at(TimeDelta::zero()));
        assert_eq!((claimed.state.status, claimed.news), (DomainStatus::Pending, None));
        let missing = conclude(&well(), &says(Standing::Wrong, Standing::Ok), at(TimeDelta::days(1))).state;
        let quiet = conclude(&missing, &silence, at(TimeDelta::days(30)));
        assert_eq!(quiet.state.status, DomainStatus::Failing, "nobody loses a name by our own deafness");
    }
}
