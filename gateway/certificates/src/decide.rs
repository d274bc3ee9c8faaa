//! What is to be done for a name, read off what is known of it. Pure: it does nothing.

use chrono::{DateTime, Utc};

use crate::{
    authority::Authorization,
    name::Name,
    progress::Step,
    settings::{ChallengeKind, IssuerSettings, Settings},
    store::Record,
};

/// The next thing to do for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing yet.
    Wait,
    /// The name is not wanted any more: clean up and drop it.
    Forget,
    /// Choose an issuer that has room, and write that an order begins.
    Begin,
    /// Ask the CA when to renew.
    AskForAdvice,
    /// Reserve the limits, place the order, and keep its address before anything else.
    Place,
    /// Look at the authorizations and set a challenge.
    SetChallenge,
    /// Tell the CA that the challenge is set.
    Tell,
    /// Look whether the CA is content.
    LookAtValidation,
    /// Send the request for the certificate.
    Finalize,
    /// Fetch the certificate.
    Fetch,
}

/// Says what to do for `record` at `now`.
pub fn next(record: &Record, now: DateTime<Utc>) -> Action {
    if !record.wanted {
        return Action::Forget;
    }
    let progress = &record.progress;
    match &progress.step {
        Step::Waiting => waiting(record, now),
        Step::Ordering { .. } => Action::Place,
        Step::Authorizing { .. } => Action::SetChallenge,
        Step::Validating { told: false, .. } => Action::Tell,
        Step::Validating { told: true, .. } => Action::LookAtValidation,
        Step::Finalizing { .. } => Action::Finalize,
        Step::Downloading { .. } => Action::Fetch,
    }
}

fn waiting(record: &Record, now: DateTime<Utc>) -> Action {
    let progress = &record.progress;
    if let Some(failure) = &progress.failure {
        return if failure.next_try <= now { Action::Begin } else { Action::Wait };
    }
    match &progress.renewal {
        None => Action::Begin,
        Some(plan) if plan.at <= now => Action::Begin,
        Some(plan) if plan.ask_at.is_some_and(|ask_at| ask_at <= now) => Action::AskForAdvice,
        Some(_) => Action::Wait,
    }
}

/// The certificate that an order at `issuer` would replace (RFC 9773, section 5): the one held, if the same CA issued
/// it and did not refuse to hear of it.
pub fn replaces<'a>(record: &'a Record, issuer: &IssuerSettings) -> Option<&'a str> {
    let held = record.progress.held.as_ref().filter(|held| held.issuer == issuer.id)?;
    held.ari_id.as_deref().filter(|_| !record.progress.without_replaces)
}

/// The issuers in the order in which they are asked for this name.
pub fn issuers<'a>(settings: &'a Settings, record: &Record) -> impl Iterator<Item = &'a IssuerSettings> {
    let count = settings.issuers.len().max(1);
    let first = usize::try_from(record.progress.preferred_issuer).unwrap_or(0) % count;
    settings.issuers.iter().cycle().skip(first).take(settings.issuers.len())
}

/// The kind of challenge to meet: the first in the settings' order that all open authorizations offer; after each
/// failed validation the next one. Wildcards take DNS-01.
pub fn challenge(
    name: &Name,
    settings: &Settings,
    has_dns: bool,
    failed_validations: u32,
    open: &[&Authorization],
) -> Option<ChallengeKind> {
    let offered = |kind: ChallengeKind| open.iter().all(|one| one.challenges.iter().any(|found| found.kind == kind));
    let usable = |kind: ChallengeKind| match kind {
        ChallengeKind::Dns01 => has_dns,
        ChallengeKind::Http01 | ChallengeKind::TlsAlpn01 => !name.is_wildcard(),
    };
    let kinds: Vec<_> = settings.challenges.iter().copied().filter(|kind| usable(*kind) && offered(*kind)).collect();
    let turn = usize::try_from(failed_validations).unwrap_or(0);
    (!kinds.is_empty()).then(|| kinds[turn % kinds.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Challenge;

    fn open(kinds: &[ChallengeKind]) -> Authorization {
        let challenge =
            |kind: &ChallengeKind| Challenge { kind: *kind, token: String::new(), key_authorization: String::new() };
        Authorization { host: "example.com".into(), valid: false, challenges: kinds.iter().map(challenge).collect() }
    }

    #[test]
    fn each_failed_validation_turns_to_the_next_kind_of_challenge() {
        use ChallengeKind::{Dns01, Http01, TlsAlpn01};
        let (settings, name) = (Settings::default(), Name::parse("example.com").unwrap());
        let all = open(&[Http01, TlsAlpn01, Dns01]);
        let choose = |has_dns, failed| challenge(&name, &settings, has_dns, failed, &[&all]);

        assert_eq!([0, 1, 2].map(|failed| choose(false, failed)), [TlsAlpn01, Http01, TlsAlpn01].map(Some));
        assert_eq!([0, 1, 2].map(|failed| choose(true, failed)), [TlsAlpn01, Http01, Dns01].map(Some));
    }

    #[test]
    fn a_wildcard_takes_dns_or_nothing() {
        let name = Name::parse("*.example.com").unwrap();
        let all = open(&[ChallengeKind::Http01, ChallengeKind::TlsAlpn01, ChallengeKind::Dns01]);
        let choose = |has_dns| challenge(&name, &Settings::default(), has_dns, 0, &[&all]);

        assert_eq!(choose(true), Some(ChallengeKind::Dns01));
        assert_eq!(choose(false), None);
    }
}
