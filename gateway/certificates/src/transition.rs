//! What is known of a name after something was done for it, and when to look again. Pure: time is an argument.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    authority::{Refusal, RefusalKind, RenewalAdvice},
    backoff,
    cause::Cause,
    name::Name,
    progress::{Attempt, Failure, Held, Progress, Sealed, Status, Step},
    renewal,
    settings::{ChallengeKind, Settings},
    store::{Answer, Lane},
    timeline::{Entry, bounded},
};

/// The longest wait that a CA may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(24);
/// Faults at one step before it may be given up.
const FAULTS: u32 = 3;

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub progress: Progress,
    pub due: DateTime<Utc>,
    pub entries: Vec<Entry>,
    /// Some: these replace the answers of the name.
    pub answers: Option<Vec<Answer>>,
}

/// The settings and the moment that a transition needs.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub name: &'a Name,
    pub settings: &'a Settings,
    pub now: DateTime<Utc>,
}

/// The lane that a name waits in.
pub fn lane(progress: &Progress) -> Lane {
    if progress.step != Step::Waiting {
        return Lane::Working;
    }
    let Some(plan) = progress.renewal.as_ref().filter(|_| progress.held.is_some()) else { return Lane::Starting };
    let asks_first = progress.failure.is_none() && plan.ask_at.is_some_and(|ask_at| ask_at < plan.at);
    if asks_first { Lane::Checking } else { Lane::Renewing }
}

/// When a waiting name is to be looked at.
fn waits_until(progress: &Progress, now: DateTime<Utc>) -> DateTime<Utc> {
    if let Some(failure) = &progress.failure {
        return failure.next_try;
    }
    progress.renewal.as_ref().map_or(now, |plan| plan.ask_at.map_or(plan.at, |ask_at| ask_at.min(plan.at)))
}

fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1))
}

/// A step that the timeline need not tell of.
fn unspoken(progress: Progress, due: DateTime<Utc>) -> Next {
    Next { progress, due, entries: Vec::new(), answers: None }
}

impl Moment<'_> {
    fn told(&self, progress: Progress, due: DateTime<Utc>, sentence: impl Into<String>) -> Next {
        let entry = Entry::done(self.now, progress.status(), sentence);
        Next { entries: vec![entry], ..unspoken(progress, due) }
    }

    /// To the next step, at once.
    fn step(&self, progress: &Progress, step: impl FnOnce(Attempt) -> Step, sentence: impl Into<String>) -> Next {
        let mut progress = progress.clone();
        if let Some(attempt) = progress.step.attempt() {
            progress.step = step(Attempt { step_since: self.now, faults: 0, ..attempt.clone() });
        }
        self.told(progress, self.now, sentence)
    }

    /// An issuer with room is chosen.
    pub fn began(&self, progress: &Progress, attempt: Attempt) -> Next {
        let mut progress = progress.clone();
        let sentence = format!("An order is placed with {}.", attempt.issuer);
        progress.queued = false;
        progress.step = Step::Ordering { attempt };
        self.told(progress, self.now, sentence)
    }

    /// The limits don't allow it before `at`. The timeline tells it once.
    pub fn queued(&self, progress: &Progress, at: DateTime<Utc>, bucket: &str) -> Next {
        let mut progress = progress.clone();
        let first = !std::mem::replace(&mut progress.queued, true);
        if matches!(progress.step, Step::Ordering { .. }) {
            // Another issuer may have room then.
            progress.step = Step::Waiting;
        }
        if let Some(attempt) = progress.step.attempt_mut() {
            attempt.step_since = at;
        }
        if let Some(failure) = &mut progress.failure {
            failure.next_try = at;
        }
        let mut next = unspoken(progress, at);
        if first {
            let entry = Entry::done(self.now, next.progress.status(), "It waits for its turn under the CA's limits.");
            next.entries.push(entry.with_evidence(bucket).with_next_try(at));
        }
        next
    }

    /// The order is placed.
    pub fn placed(&self, progress: &Progress, order: &str) -> Next {
        let step = |attempt| Step::Authorizing { attempt, order: order.to_owned() };
        let mut next = self.step(progress, step, "The CA took the order.");
        for entry in &mut next.entries {
            *entry = entry.clone().with_evidence(order);
        }
        next
    }

    /// The CA does not want to hear which certificate the order replaces: it is placed again without.
    pub fn without_replaces(&self, progress: &Progress, refusal: &Refusal) -> Next {
        let mut progress = progress.clone();
        progress.without_replaces = true;
        progress.step = Step::Waiting;
        // Begins anew at once: an order that replaces nothing is charged in full.
        if let Some(plan) = &mut progress.renewal {
            plan.at = plan.at.min(self.now);
        }
        progress.failure = None;
        let sentence = "The CA does not accept which certificate this order replaces; it is placed without.";
        let mut next = self.told(progress, self.now, sentence);
        for entry in &mut next.entries {
            *entry = entry.clone().with_evidence(&refusal.evidence);
        }
        next
    }

    /// The challenge is set, `answers` and `txt` with it.
    pub fn challenge_set(
        &self,
        progress: &Progress,
        order: &str,
        challenge: ChallengeKind,
        answers: Vec<Answer>,
        txt: Vec<String>,
    ) -> Next {
        let order = order.to_owned();
        let step = |attempt| Step::Validating { attempt, order, challenge, txt, told: false };
        let wait = if challenge == ChallengeKind::Dns01 { self.settings.dns_propagation } else { Duration::ZERO };
        let next = self.step(progress, step, format!("The {} challenge is set.", kind_word(challenge)));
        Next { due: later(self.now, wait), answers: Some(answers), ..next }
    }

    /// The CA knows that the challenge is set.
    pub fn ca_told(&self, progress: &Progress) -> Next {
        let mut progress = progress.clone();
        if let Step::Validating { told, .. } = &mut progress.step {
            *told = true;
        }
        let due = later(self.now, backoff::poll(Duration::ZERO));
        self.told(progress, due, "The CA validates the name.")
    }

    /// The CA is still at work; `asked` is how long it asks to wait. Given up after the step's time.
    pub fn still_working(&self, progress: &Progress, asked: Option<Duration>, evidence: &str) -> Next {
        let Some(attempt) = progress.step.attempt() else { return unspoken(progress.clone(), self.now) };
        let waited = (self.now - attempt.step_since).to_std().unwrap_or_default();
        if waited >= self.settings.step_timeout {
            return self.failed(progress, Cause::OrderStuck, evidence, asked);
        }
        let wait = asked.unwrap_or_default().min(LONGEST_ASKED).max(backoff::poll(waited));
        unspoken(progress.clone(), later(self.now, wait))
    }

    /// The CA is content and the key is made.
    pub fn ready(&self, progress: &Progress, order: &str, key: Vec<u8>) -> Next {
        let (order, key) = (order.to_owned(), Sealed(key));
        let step = |attempt| Step::Finalizing { attempt, order, key };
        Next { answers: Some(Vec::new()), ..self.step(progress, step, "The CA validated the name.") }
    }

    /// The request for the certificate is accepted.
    pub fn finalized(&self, progress: &Progress) -> Next {
        let Step::Finalizing { order, key, .. } = progress.step.clone() else {
            return unspoken(progress.clone(), self.now);
        };
        let step = |attempt| Step::Downloading { attempt, order, key };
        self.step(progress, step, "The CA accepted the request for the certificate.")
    }

    /// The certificate is here, checked.
    pub fn issued(&self, held: Held) -> Next {
        let plan = renewal::first_plan(self.name, &held, self.now);
        let sentence = format!("The certificate is issued by {} and served.", held.issuer);
        let entry = Entry::done(self.now, Status::Issued, sentence).with_next_try(plan.at);
        let progress = Progress { held: Some(held), renewal: Some(plan), ..Progress::default() };
        let due = waits_until(&progress, self.now);
        Next { entries: vec![entry], answers: Some(Vec::new()), ..unspoken(progress, due) }
    }

    /// The CA said when to renew.
    pub fn advised(&self, progress: &Progress, advice: &RenewalAdvice) -> Next {
        let mut progress = progress.clone();
        let former = progress.renewal.clone();
        progress.renewal = progress.held.as_ref().map(|held| renewal::advised(self.name, held, advice, self.now));
        let at = progress.renewal.as_ref().map(|plan| plan.at);
        let due = waits_until(&progress, self.now);
        let sooner = former.map(|plan| plan.at).zip(at).filter(|(before, at)| *at < *before - TimeDelta::days(1));
        match sooner {
            Some((_, at)) => {
                let mut next = self.told(progress, due, "The CA suggests to renew sooner.");
                next.entries.iter_mut().for_each(|entry| entry.next_try = Some(at));
                next
            }
            None => unspoken(progress, due),
        }
    }

    /// The CA did not say when to renew: its own moment stays.
    pub fn unadvised(&self, progress: &Progress) -> Next {
        let mut progress = progress.clone();
        progress.renewal = progress.renewal.as_ref().map(|plan| renewal::unanswered(plan, self.now));
        let due = waits_until(&progress, self.now);
        unspoken(progress, due)
    }

    /// A request was refused: passing faults are tried again at the same step, the rest end the attempt.
    pub fn refused(&self, progress: &Progress, refusal: &Refusal) -> Next {
        let cause = refusal.kind.cause();
        let Some(attempt) = progress.step.attempt() else {
            return self.failed(progress, cause, &refusal.evidence, refusal.retry_after);
        };
        let waited = (self.now - attempt.step_since).to_std().unwrap_or_default();
        let spent = attempt.faults + 1 >= FAULTS && waited >= self.settings.step_timeout;
        let placing = matches!(progress.step, Step::Ordering { .. });
        if spent || !refusal.kind.passes() || (placing && attempt.faults + 1 >= FAULTS) {
            return self.failed(progress, cause, &refusal.evidence, refusal.retry_after);
        }
        let mut progress = progress.clone();
        let mut faults = 0;
        if let Some(attempt) = progress.step.attempt_mut() {
            attempt.faults += 1;
            faults = attempt.faults;
        }
        let asked = refusal.retry_after.unwrap_or_default().min(LONGEST_ASKED);
        let due = later(self.now, backoff::at_step(faults).max(asked));
        let mut next = unspoken(progress, due);
        if faults == 1 || refusal.kind == RefusalKind::RateLimited {
            next.entries.push(self.entry(next.progress.status(), cause, &refusal.evidence, due));
        }
        next
    }

    /// The attempt failed: it begins again later, with the next issuer if this one is at fault.
    pub fn failed(&self, progress: &Progress, cause: Cause, evidence: &str, asked: Option<Duration>) -> Next {
        let mut progress = progress.clone();
        progress.failures = progress.failures.saturating_add(1);
        if cause.is_validation() {
            progress.failed_validations = progress.failed_validations.saturating_add(1);
        }
        let others = self.settings.issuers.len() > 1;
        let turn =
            others && (cause.is_the_cas() || cause == Cause::NameRefused || progress.failures.is_multiple_of(FAULTS));
        if turn {
            progress.preferred_issuer = progress.preferred_issuer.wrapping_add(1);
        }
        let had_certificate = progress.held.is_some();
        let mut wait = backoff::after_failure(cause, progress.failures, had_certificate);
        if turn
            && progress.failures < u32::try_from(self.settings.issuers.len()).unwrap_or(u32::MAX)
            && cause.is_the_cas()
        {
            wait = backoff::at_step(progress.failures);
        } else {
            wait = wait.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        }
        let next_try = later(self.now, wait);
        progress.step = Step::Waiting;
        progress.failure = Some(Failure { cause, evidence: bounded(evidence), at: self.now, next_try });
        let entry = self.entry(Status::Failed, cause, evidence, next_try);
        Next { entries: vec![entry], answers: Some(Vec::new()), ..unspoken(progress, next_try) }
    }

    fn entry(&self, status: Status, cause: Cause, evidence: &str, next_try: DateTime<Utc>) -> Entry {
        let mut entry = Entry::done(self.now, status, cause.sentence());
        entry.cause = Some(cause);
        entry.with_evidence(evidence).with_next_try(next_try)
    }
}

fn kind_word(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Http01 => "HTTP-01",
        ChallengeKind::TlsAlpn01 => "TLS-ALPN-01",
        ChallengeKind::Dns01 => "DNS-01",
    }
}
