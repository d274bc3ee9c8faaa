//! Doing what was decided: each action asks the CA, the DNS or the store, and tells what came of it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    authority::{Authority, Authorization, OrderStatus, OrderView, Refusal, RefusalKind},
    bundle::{Bundle, Facts},
    cause::Cause,
    circuit::Circuit,
    decide::{self, Action},
    manager::Shared,
    pacing::{self, Granted},
    progress::{Held, Progress, Step},
    sealing,
    settings::{ChallengeKind, IssuerSettings},
    store::{Answer, Record, SealedCertificate, StoreError},
    transition::{Moment, Next},
};

/// What came of an action.
pub(crate) enum Did {
    Next(Box<Next>),
    Issued(Box<Next>, SealedCertificate),
    Forgotten,
    /// No issuer takes an order before this moment.
    Blocked(DateTime<Utc>),
}

impl From<Next> for Did {
    fn from(next: Next) -> Self {
        Self::Next(Box::new(next))
    }
}

pub(crate) struct Perform<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) record: &'a Record,
}

impl Perform<'_> {
    pub(crate) async fn act(&self, action: Action) -> Result<Did, StoreError> {
        match action {
            Action::Wait => Ok(Did::Blocked(self.record.due)),
            Action::Forget => {
                self.remove_txt().await;
                Ok(Did::Forgotten)
            }
            Action::Begin => self.begin().await,
            Action::AskForAdvice => Ok(self.ask_for_advice().await.into()),
            _ => self.at_the_ca(action).await,
        }
    }

    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment { name: &self.record.name, settings: &self.shared.settings, now: self.shared.clock.now() }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.record.progress
    }

    /// The CA of the attempt and the order's address. An issuer that is no longer in the settings ends the attempt.
    async fn at_the_ca(&self, action: Action) -> Result<Did, StoreError> {
        let step = &self.record.progress.step;
        let issuer = step.attempt().and_then(|attempt| self.shared.issuer(&attempt.issuer));
        let Some((issuer, authority)) = issuer else {
            let evidence = "The issuer is not in the settings any more.";
            return Ok(self.moment().failed(self.progress(), Cause::OrderLost, evidence, None).into());
        };
        let order = step.order().unwrap_or_default();
        let done = match action {
            Action::Place => self.place(issuer, authority).await?,
            Action::SetChallenge => self.set_challenge(authority, order).await,
            Action::Tell => self.tell(authority, order).await,
            Action::LookAtValidation => self.look_at_validation(issuer, authority, order).await?,
            Action::Finalize => self.finalize(issuer, authority, order).await?,
            _ => self.fetch(authority, order).await,
        };
        match done {
            Ok(did) => {
                self.shared.circuit(&issuer.id, Circuit::worked);
                Ok(did)
            }
            Err(refusal) => self.refused(issuer, &refusal).await,
        }
    }

    /// A refusal: the circuit of the issuer, the count of failed validations and the next try follow from it.
    async fn refused(&self, issuer: &IssuerSettings, refusal: &Refusal) -> Result<Did, StoreError> {
        let now = self.shared.clock.now();
        let cause = refusal.kind.cause();
        if cause.is_the_cas() {
            self.shared.circuit(&issuer.id, |circuit| circuit.failed(now, refusal.retry_after));
        }
        if cause.is_validation() {
            self.shared.store.note(&pacing::for_failed_validation(issuer, &self.record.name), now).await?;
        }
        if refusal.kind == RefusalKind::Replaces {
            return Ok(self.moment().without_replaces(self.progress(), refusal).into());
        }
        let next = self.moment().refused(self.progress(), refusal);
        if next.progress.step == Step::Waiting {
            self.remove_txt().await;
        }
        Ok(next.into())
    }

    async fn set_challenge(&self, authority: &dyn Authority, order: &str) -> Result<Did, Refusal> {
        let all = authority.authorizations(order).await?;
        let open: Vec<&Authorization> = all.iter().filter(|one| !one.valid).collect();
        if open.is_empty() {
            return self.make_key(order);
        }
        let (name, progress) = (&self.record.name, self.progress());
        let dns = self.shared.dns.as_deref();
        let kind = decide::challenge(name, &self.shared.settings, dns.is_some(), progress.failed_validations, &open);
        let Some(kind) = kind else {
            let offered: Vec<String> = open[0].challenges.iter().map(|one| format!("{:?}", one.kind)).collect();
            let evidence = format!("The CA offers {}.", offered.join(", "));
            return Ok(self.moment().failed(progress, Cause::NoChallenge, &evidence, None).into());
        };
        let found = open.iter().filter_map(|one| {
            let challenge = one.challenges.iter().find(move |challenge| challenge.kind == kind);
            challenge.map(|challenge| (one.host.clone(), challenge))
        });
        let (mut answers, mut txt) = (Vec::new(), Vec::new());
        for (host, challenge) in found {
            let (token, key_authorization) = (challenge.token.clone(), challenge.key_authorization.clone());
            if kind == ChallengeKind::Dns01 {
                txt.push(txt_value(&key_authorization));
            } else {
                answers.push(Answer { kind, host, token, key_authorization });
            }
        }
        if let Some(dns) = dns.filter(|_| kind == ChallengeKind::Dns01) {
            for value in &txt {
                if let Err(error) = dns.set_txt(&name.challenge_record(), value).await {
                    let evidence = error.to_string();
                    return Ok(self.moment().failed(progress, Cause::DnsProvider, &evidence, None).into());
                }
            }
        }
        Ok(self.moment().challenge_set(progress, order, kind, answers, txt).into())
    }

    async fn tell(&self, authority: &dyn Authority, order: &str) -> Result<Did, Refusal> {
        if let Step::Validating { challenge, .. } = &self.progress().step {
            authority.ready(order, *challenge).await?;
        }
        Ok(self.moment().ca_told(self.progress()).into())
    }

    async fn look_at_validation(
        &self,
        issuer: &IssuerSettings,
        authority: &dyn Authority,
        order: &str,
    ) -> Result<Result<Did, Refusal>, StoreError> {
        let seen = match authority.look(order).await {
            Ok(seen) => seen,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match seen.status {
            OrderStatus::Pending if !self.waits_long() => Ok(Ok(self.waits(&seen))),
            OrderStatus::Pending => match authority.failed_validation(order).await {
                Ok(Some(refusal)) | Err(refusal) => Ok(Err(refusal)),
                Ok(None) => Ok(Ok(self.waits(&seen))),
            },
            OrderStatus::Processing => Ok(Ok(self.waits(&seen))),
            OrderStatus::Ready | OrderStatus::Valid => {
                self.remove_txt().await;
                Ok(self.make_key(order))
            }
            OrderStatus::Invalid => {
                let found = authority.failed_validation(order).await;
                let evidence = seen.error.clone().unwrap_or_default();
                let refusal = match found {
                    Ok(Some(refusal)) | Err(refusal) => refusal,
                    Ok(None) => Refusal::new(RefusalKind::Validation, evidence),
                };
                // The order is over, whatever kept its reason from being read.
                let kind = if refusal.kind.passes() { RefusalKind::Validation } else { refusal.kind };
                self.refused(issuer, &Refusal { kind, ..refusal }).await.map(Ok)
            }
        }
    }

    fn make_key(&self, order: &str) -> Result<Did, Refusal> {
        let name = &self.record.name;
        let csr = self.shared.keys.make(name).map_err(|words| Refusal::new(RefusalKind::Refused, words))?;
        let sealed = sealing::key(&*self.shared.sealer, name, &csr.key);
        Ok(self.moment().ready(self.progress(), order, sealed).into())
    }

    fn key(&self) -> Option<Vec<u8>> {
        let (Step::Finalizing { key, .. } | Step::Downloading { key, .. }) = &self.progress().step else { return None };
        sealing::open_key(&*self.shared.sealer, &self.record.name, &key.0).ok()
    }

    fn unsealable(&self) -> Did {
        self.moment().failed(self.progress(), Cause::Unsealable, "the key of the order", None).into()
    }

    async fn finalize(
        &self,
        issuer: &IssuerSettings,
        authority: &dyn Authority,
        order: &str,
    ) -> Result<Result<Did, Refusal>, StoreError> {
        let name = &self.record.name;
        let Some(key) = self.key() else { return Ok(Ok(self.unsealable())) };
        let again = self.progress().step.attempt().is_some_and(|attempt| attempt.faults > 0);
        let exempt = again || self.progress().step.attempt().is_some_and(|attempt| attempt.exempt);
        let charges = pacing::for_certificate(issuer, name, exempt);
        if let Granted::NotBefore { at, bucket } = self.shared.store.charge(&charges, self.shared.clock.now()).await? {
            return Ok(Ok(self.moment().queued(self.progress(), at, &bucket).into()));
        }
        let Ok(csr) = self.shared.keys.again(name, &key) else { return Ok(Ok(self.unsealable())) };
        let seen = match authority.finalize(order, &csr.request).await {
            Ok(seen) => seen,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match seen.status {
            OrderStatus::Processing | OrderStatus::Valid => Ok(self.moment().finalized(self.progress()).into()),
            OrderStatus::Ready | OrderStatus::Pending => Ok(self.waits(&seen)),
            OrderStatus::Invalid => Err(lost(&seen)),
        })
    }

    async fn fetch(&self, authority: &dyn Authority, order: &str) -> Result<Did, Refusal> {
        let seen = authority.look(order).await?;
        match seen.status {
            OrderStatus::Valid => {}
            OrderStatus::Invalid => return Err(lost(&seen)),
            _ => return Ok(self.waits(&seen)),
        }
        let chain_pem = authority.download(order).await?;
        let facts = authority.read(&chain_pem)?;
        let Some(key) = self.key() else { return Ok(self.unsealable()) };
        if let Err((cause, evidence)) = self.check(&facts, &key) {
            return Ok(self.failed_at_ca(cause, &evidence));
        }
        let issuer = self.progress().step.attempt().map(|attempt| attempt.issuer.clone()).unwrap_or_default();
        let Facts { not_before, not_after, ari_id, .. } = facts;
        let next = self.moment().issued(Held { issuer, ari_id, not_before, not_after });
        let bundle = Bundle { chain_pem, key: key.into() };
        let sealed = bundle.sealed(&self.record.name, &*self.shared.sealer);
        Ok(Did::Issued(Box::new(next), sealed))
    }

    /// Whether the certificate is the one that was asked for.
    fn check(&self, facts: &Facts, key: &[u8]) -> Result<(), (Cause, String)> {
        let (name, now) = (&self.record.name, self.shared.clock.now());
        if !facts.names.iter().any(|held| held == name.as_str()) {
            return Err((Cause::CertificateWrong, format!("It names {}.", facts.names.join(", "))));
        }
        if self.shared.keys.public_key(key).ok().as_deref() != Some(&*facts.public_key) {
            return Err((Cause::CertificateWrong, "It is for another key.".into()));
        }
        if facts.not_before > now || facts.not_after <= now {
            let evidence = format!("It is valid from {} to {}.", facts.not_before, facts.not_after);
            return Err((Cause::CertificateTime, evidence));
        }
        Ok(())
    }

    fn failed_at_ca(&self, cause: Cause, evidence: &str) -> Did {
        self.moment().failed(self.progress(), cause, evidence, None).into()
    }

    /// Long enough to ask whether an authorization failed: most CAs then make the order invalid too.
    fn waits_long(&self) -> bool {
        let since = self.progress().step.attempt().map_or(self.record.due, |attempt| attempt.step_since);
        self.shared.clock.now() - since >= TimeDelta::seconds(10)
    }

    fn waits(&self, seen: &OrderView) -> Did {
        let evidence = format!("{:?}: {}", seen.status, seen.url);
        self.moment().still_working(self.progress(), seen.retry_after, &evidence).into()
    }

    async fn ask_for_advice(&self) -> Next {
        let held = self.progress().held.as_ref();
        let found = held.and_then(|held| self.shared.issuer(&held.issuer).zip(held.ari_id.as_deref()));
        let Some(((_, authority), ari_id)) = found else { return self.moment().unadvised(self.progress()) };
        match authority.renewal_advice(ari_id).await {
            Ok(advice) => self.moment().advised(self.progress(), &advice),
            Err(_) => self.moment().unadvised(self.progress()),
        }
    }

    /// Takes the TXT records of the attempt away. One that stays does no harm, so a failure is only logged.
    async fn remove_txt(&self) {
        let Step::Validating { txt, .. } = &self.progress().step else { return };
        let Some(dns) = self.shared.dns.as_deref() else { return };
        for value in txt {
            if let Err(error) = dns.remove_txt(&self.record.name.challenge_record(), value).await {
                tracing::warn!(name = self.record.name.as_str(), %error, "a challenge's TXT record stays in DNS");
            }
        }
    }
}

fn lost(seen: &OrderView) -> Refusal {
    let evidence = seen.error.as_deref().unwrap_or("The order is invalid.");
    Refusal::new(RefusalKind::OrderGone, evidence)
}

/// The TXT value of a DNS-01 challenge: the digest of the key authorization (RFC 8555, section 8.4).
fn txt_value(key_authorization: &str) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, key_authorization.as_bytes()))
}
