//! Beginning an order: an issuer in good health that has room under its limits, and the order at that issuer.

use chrono::{DateTime, Utc};

use crate::{
    authority::{AskFor, Authority, Refusal},
    cause::Cause,
    decide,
    pacing::{self, Granted},
    perform::{Did, Perform},
    progress::{Attempt, Step},
    settings::IssuerSettings,
    store::StoreError,
};

/// Issuers without room.
#[derive(Default)]
struct Full {
    soonest: Option<(DateTime<Utc>, String)>,
    /// A limit of this name or its domain stands in the way, not only those that all names share.
    only_of_one_name: bool,
}

impl Full {
    fn add(&mut self, issuer: &str, at: DateTime<Utc>, bucket: String) {
        self.only_of_one_name |= bucket != pacing::orders_bucket(issuer);
        if self.soonest.as_ref().is_none_or(|(before, _)| at < *before) {
            self.soonest = Some((at, bucket));
        }
    }
}

impl Perform<'_> {
    /// Chooses the first issuer that is in good health and within its limits.
    pub(crate) async fn begin(&self) -> Result<Did, StoreError> {
        let mut full = Full::default();
        for issuer in decide::issuers(&self.shared.settings, self.record) {
            let replaces = decide::replaces(self.record, issuer).is_some();
            let exempt = replaces && issuer.limits.renewals_exempt;
            match self.room_at(issuer, exempt).await? {
                Granted::Yes => {
                    let (now, issuer) = (self.shared.clock.now(), issuer.id.clone());
                    let attempt = Attempt { issuer, began: now, step_since: now, faults: 0, replaces, exempt };
                    return Ok(self.moment().began(self.progress(), attempt).into());
                }
                Granted::NotBefore { at, bucket } => full.add(&issuer.id, at, bucket),
            }
        }
        Ok(self.full(full))
    }

    /// Whether an issuer takes one more order, and when.
    async fn room_at(&self, issuer: &IssuerSettings, exempt: bool) -> Result<Granted, StoreError> {
        let now = self.shared.clock.now();
        if let Some(at) = self.shared.circuit(&issuer.id, |circuit| circuit.not_before(now)) {
            return Ok(Granted::NotBefore { at, bucket: pacing::orders_bucket(&issuer.id) });
        }
        self.shared.store.charge(&pacing::for_order(issuer, &self.record.name, exempt, 0), now).await
    }

    /// No issuer has room: what stops one name here stops all, and then the rest need not be tried one by one.
    fn full(&self, full: Full) -> Did {
        let Some((at, bucket)) = full.soonest else {
            return self.moment().failed(self.progress(), Cause::AccountRefused, "No issuer is set up.", None).into();
        };
        if full.only_of_one_name {
            return self.moment().queued(self.progress(), at, &bucket).into();
        }
        if self.progress().queued && self.progress().step == Step::Waiting {
            return Did::Blocked(at);
        }
        // It keeps its place: only the tenants' turns decide who goes first then.
        let mut next = self.moment().queued(self.progress(), at, &bucket);
        next.progress.failure.clone_from(&self.progress().failure);
        next.due = self.shared.clock.now();
        next.into()
    }

    /// Takes the charge and places the order. Each try is charged: the CA may have counted one whose answer was lost.
    pub(crate) async fn place(
        &self,
        issuer: &IssuerSettings,
        authority: &dyn Authority,
    ) -> Result<Result<Did, Refusal>, StoreError> {
        let exempt = self.progress().step.attempt().is_some_and(|attempt| attempt.exempt);
        let charges = pacing::for_order(issuer, &self.record.name, exempt, 1);
        if let Granted::NotBefore { at, bucket } = self.shared.store.charge(&charges, self.shared.clock.now()).await? {
            let mut full = Full::default();
            full.add(&issuer.id, at, bucket);
            return Ok(Ok(self.full(full)));
        }
        Ok(self.place_charged(issuer, authority).await)
    }

    async fn place_charged(&self, issuer: &IssuerSettings, authority: &dyn Authority) -> Result<Did, Refusal> {
        let wants = self.progress().step.attempt().is_some_and(|attempt| attempt.replaces);
        let replaces = decide::replaces(self.record, issuer).filter(|_| wants);
        let ask = AskFor { name: &self.record.name, replaces, profile: issuer.profile.as_deref() };
        let order = authority.order(ask).await?;
        Ok(self.moment().placed(self.progress(), &order.url).into())
    }
}
