//! When a certificate is renewed: in the window that the CA suggests (RFC 9773), else late in its life, each name at a
//! moment of its own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    authority::RenewalAdvice,
    backoff,
    name::Name,
    progress::{Held, RenewalPlan},
};

/// The CA is asked again no sooner and no later than this, whatever it says (RFC 9773, section 4.3.2).
const ASK_SOONEST: Duration = Duration::from_mins(1);
const ASK_LATEST: Duration = Duration::from_hours(24);
/// When it did not say, or did not answer for the first time.
const ASK_USUALLY: Duration = Duration::from_hours(6);
/// Certificates that live shorter than this are renewed at half of their life, others at two thirds.
const SHORT_LIVED: TimeDelta = TimeDelta::days(10);

/// The plan for a certificate just obtained, before the CA is asked about it.
pub(crate) fn first_plan(name: &Name, held: &Held, now: DateTime<Utc>) -> RenewalPlan {
    let ask_at = held.ari_id.as_ref().map(|_| now + backoff::within(ASK_SOONEST, &[name.as_str(), "ask"]));
    RenewalPlan { at: usual(name, held), ask_at, unanswered: 0 }
}

/// The moment without advice: within a twelfth of its life around two thirds (or half) of it.
fn usual(name: &Name, held: &Held) -> DateTime<Utc> {
    let life = (held.not_after - held.not_before).max(TimeDelta::zero());
    let middle = if life < SHORT_LIVED { life / 2 } else { life * 2 / 3 };
    let width = (life / 12).to_std().unwrap_or_default();
    held.not_before + middle - life / 24 + backoff::within(width, &[name.as_str(), "renew"])
}

/// The plan after the CA's advice. A window in the past means now. One that reaches beyond what is safe is cut there.
pub(crate) fn advised(name: &Name, held: &Held, advice: &RenewalAdvice, now: DateTime<Utc>) -> RenewalPlan {
    let safe = latest_safe(held);
    let start = advice.start.min(safe);
    let width = (advice.end.min(safe) - start).to_std().unwrap_or_default();
    let serial = held.ari_id.as_deref().unwrap_or_default();
    let at = start + backoff::within(width, &[name.as_str(), serial, "window"]);
    let ask = advice.ask_after.unwrap_or(ASK_USUALLY).clamp(ASK_SOONEST, ASK_LATEST);
    let ask_at = (at > now).then(|| now + ask);
    RenewalPlan { at, ask_at, unanswered: 0 }
}

/// The plan after a question without an answer: the moment stays, the next question comes later and later.
pub(crate) fn unanswered(plan: &RenewalPlan, now: DateTime<Utc>) -> RenewalPlan {
    let wait = ASK_SOONEST * 2_u32.saturating_pow(plan.unanswered.min(11));
    RenewalPlan { at: plan.at, ask_at: Some(now + wait.min(ASK_LATEST)), unanswered: plan.unanswered + 1 }
}

/// A tenth of its life must be left, and a day of a life longer than ten, to try again if it fails.
fn latest_safe(held: &Held) -> DateTime<Utc> {
    let life = (held.not_after - held.not_before).max(TimeDelta::zero());
    held.not_after - life / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).unwrap()
    }

    fn held(days: i64) -> Held {
        Held { issuer: "ca".into(), ari_id: Some("a.b".into()), not_before: at(0), not_after: at(days) }
    }

    #[test]
    fn without_advice_it_is_late_in_life_and_each_name_at_its_own_moment() {
        let moments: Vec<_> = (0..100)
            .map(|n| first_plan(&Name::parse(&format!("n{n}.example.com")).unwrap(), &held(90), at(0)).at)
            .collect();

        assert!(moments.iter().all(|moment| (at(55)..at(65)).contains(moment)));
        assert!(
            moments.iter().max().unwrap().signed_duration_since(moments.iter().min().unwrap()) > TimeDelta::days(5)
        );
        let short = first_plan(&Name::parse("a.example.com").unwrap(), &held(6), at(0)).at;
        assert!((at(2)..at(4)).contains(&short), "{short}");
    }

    #[test]
    fn advice_moves_the_moment_and_never_beyond_what_is_safe() {
        let name = Name::parse("a.example.com").unwrap();
        let advise = |start, end| RenewalAdvice { start: at(start), end: at(end), ask_after: None };

        let early = advised(&name, &held(90), &advise(-2, -1), at(10));
        assert!(early.at < at(10) && early.ask_at.is_none());
        let late = advised(&name, &held(90), &advise(85, 400), at(10));
        assert!(late.at <= at(81), "{}", late.at);
        let silly = advised(&name, &held(90), &advise(20, 10), at(5));
        assert_eq!(silly.at, at(20));
    }

    #[test]
    fn a_deaf_ca_is_asked_ever_more_rarely() {
        let mut plan = first_plan(&Name::parse("a.example.com").unwrap(), &held(90), at(0));
        let before = plan.at;
        for _ in 0..40 {
            plan = unanswered(&plan, at(1));
        }

        assert_eq!(plan.ask_at, Some(at(2)));
        assert_eq!(plan.at, before);
    }
}
