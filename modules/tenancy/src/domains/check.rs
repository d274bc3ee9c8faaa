//! One check: begun by one process at a time, asked without a transaction, concluded in one.

use std::time::Duration;

use chrono::TimeDelta;
use edge_dns::Diagnosis;
use kernel::{Caller, Problem, Tx};

use crate::Tenancy;
use crate::domains::claims::{BELL, new_token, tell};
use crate::domains::judgement::{Circumstances, Conclusion, News, conclude};
use crate::domains::model::{Domain, DomainId};
use crate::domains::records;
use crate::error::Error;
use crate::permissions::DOMAINS_WRITE;
use crate::store;
use crate::store::domains::{Begun, Kept};

/// Between the beginnings of two checks of one domain.
const PAUSE: Duration = Duration::from_secs(10);
/// How often a conclusion that another one overtook is drawn anew.
const TURNS: u32 = 3;

impl Tenancy {
    /// Checks a domain now, and shows it as it is then.
    ///
    /// # Errors
    /// [`Error::CheckTooSoon`] within 10 s of the last check, the 404, or the caller lacks [`DOMAINS_WRITE`].
    pub async fn check_domain(&self, caller: &Caller, id: DomainId) -> Result<Domain, Error> {
        caller.require(DOMAINS_WRITE)?;
        let begin = async |tx: &Tx| {
            let before = tx.now() - self.pause();
            if let Some(begun) = store::domains::begin(tx, id, before).await? {
                return Ok(begun);
            }
            let kept = store::domains::find(tx, self.config(), id).await?.ok_or_else(Problem::not_found)?;
            let wait = kept.asked_at.map_or(PAUSE, |asked| (asked - before).to_std().unwrap_or_default());
            Err(Error::CheckTooSoon(wait))
        };
        let begun = self.db().write(caller, begin).await?;
        self.check(caller, &begun).await?;
        self.domain(caller, id).await
    }

    /// For how long nobody else begins: longer than a check takes, so that two processes never check at once.
    pub(crate) fn pause(&self) -> TimeDelta {
        let pause = PAUSE.max(self.config().domains.time() * 4);
        TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX)
    }

    /// Asks DNS and writes down what it comes to.
    pub(crate) async fn check(&self, caller: &Caller, begun: &Begun) -> Result<(), Error> {
        let question = records::question(&self.config().domains, &begun.name, &begun.token);
        let diagnosis = self.0.lookup.diagnose(&question).await;
        // Who else holds the name is a question to all tenants.
        let caller = caller.inside(begun.tenant).across_tenants();
        for _ in 1..TURNS {
            match self.db().write(&caller, async |tx: &Tx| self.settle(tx, &caller, begun, &diagnosis).await).await {
                // The index was faster than the look: there is another holder now.
                Err(Error::DomainHeld) => {}
                outcome => return outcome,
            }
        }
        self.db().write(&caller, async |tx: &Tx| self.settle(tx, &caller, begun, &diagnosis).await).await
    }

    async fn settle(&self, tx: &Tx, caller: &Caller, begun: &Begun, diagnosis: &Diagnosis) -> Result<(), Error> {
        let kept = store::domains::find_for_update(tx, self.config(), begun.id).await?;
        // Released, or given another proof, while DNS was asked.
        let Some(mut kept) = kept.filter(|kept| kept.token == begun.token) else { return Ok(()) };
        let circumstances = Circumstances {
            now: tx.now(),
            held_elsewhere: store::domains::held_elsewhere(tx, &begun.name).await?,
            grace: TimeDelta::days(self.config().domains.grace_days.into()),
            chance: tx.random().fraction(),
        };
        let conclusion = conclude(&kept.state(), diagnosis, circumstances);
        apply(tx, &mut kept, &conclusion);
        store::domains::update(tx, &mut kept).await?;
        store::domain_steps::append(tx, begun.id, &conclusion.step).await?;
        let code = conclusion.step.code.as_deref();
        let action = match conclusion.news {
            Some(News::Verified) => "tenancy.domain.verified",
            Some(News::Failing) => "tenancy.domain.failing",
            Some(News::Released) => "tenancy.domain.released",
            None => return Ok(()),
        };
        tell(tx, caller, action, &kept.domain, code).await?;
        Self::domain_changed(tx, &begun.name);
        if conclusion.news == Some(News::Released) {
            store::domains::wake(tx, &begun.name).await?;
            tx.ring_on_commit(BELL);
        }
        Ok(())
    }
}

/// Puts a conclusion into the row.
fn apply(tx: &Tx, kept: &mut Kept, conclusion: &Conclusion) {
    let state = &conclusion.state;
    let domain = &mut kept.domain;
    [domain.proof, domain.address, domain.caa] = conclusion.parts;
    domain.status = state.status;
    domain.ready = state.ready;
    domain.verified_at = state.verified_at;
    domain.proof_missing_since = state.proof_missing_since;
    domain.findings.clone_from(&conclusion.findings);
    domain.checked_at = Some(tx.now());
    domain.next_check_at = conclusion.next_check_at;
    kept.ready_at = state.ready_at;
    kept.tries = state.tries;
    if conclusion.news == Some(News::Released) {
        // The old record is no proof any more.
        kept.token = new_token(tx);
    }
}
