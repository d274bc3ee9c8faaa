//! What happened to a domain and its certificate, in one list by time.

use kernel::{Caller, Id, ListParams, ListRequest, Page, Problem, Tx};

use crate::Tenancy;
use crate::domains::certificates::CertificateStep;
use crate::domains::model::{DomainId, DomainStep, DomainStepId};
use crate::error::Error;
use crate::listing;
use crate::permissions::DOMAINS_READ;
use crate::store;

/// The most steps of a certificate that are shown, the newest.
const CERTIFICATE_STEPS: usize = 200;

impl Tenancy {
    /// A page of a domain's steps, those of its certificate among them.
    ///
    /// # Errors
    /// 400 for a wrong parameter, the 404, or the caller lacks [`DOMAINS_READ`].
    pub async fn list_domain_timeline(
        &self,
        caller: &Caller,
        id: DomainId,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<DomainStep>), Error> {
        caller.require(DOMAINS_READ)?;
        let request = ListRequest::new(&listing::DOMAIN_STEPS, params, caller, self.db().keys())?;
        let find = async |tx: &Tx| {
            let kept = store::domains::find(tx, self.config(), id).await?.ok_or_else(Problem::not_found)?;
            let steps = store::domain_steps::all(tx, id).await?;
            Ok::<_, Problem>((kept.domain, steps))
        };
        let (domain, mut steps) = self.db().read(caller, find).await?;
        if domain.status.is_held() {
            steps.extend(self.certificate_steps(id, &domain.name).await);
        }
        let page = async |tx: &Tx| store::domain_steps::page(tx, &steps, &request).await;
        let ids = self.db().read(caller, page).await?;
        let shown = ids.iter().filter_map(|id| steps.iter().find(|step| step.id == *id).cloned());
        let page = request.page(shown.collect::<Vec<_>>())?;
        Ok((request, page))
    }

    async fn certificate_steps(&self, id: DomainId, name: &str) -> Vec<DomainStep> {
        let Some(certificates) = self.certificates() else { return Vec::new() };
        match certificates.timeline(name).await {
            Ok(steps) => {
                let skipped = steps.len().saturating_sub(CERTIFICATE_STEPS);
                steps.into_iter().skip(skipped).map(|step| self.shown(id, step)).collect()
            }
            Err(problem) => {
                tracing::warn!(?problem, "a timeline is shown without its certificate");
                Vec::new()
            }
        }
    }

    fn shown(&self, id: DomainId, step: CertificateStep) -> DomainStep {
        DomainStep {
            id: self.step_id(id, &step),
            about: "certificate".to_owned(),
            at: step.at,
            last_at: step.at,
            times: 1,
            status: step.status,
            sentence: step.sentence,
            code: step.code,
            evidence: step.evidence.into_iter().collect(),
            mend: step.mend,
            next_try_at: step.next_try_at,
        }
    }

    /// The same step has the same name at every look, so that pages meet.
    fn step_id(&self, id: DomainId, step: &CertificateStep) -> DomainStepId {
        let mac = self.db().keys().mac("tenancy certificate step");
        let at = step.at.timestamp_micros().to_be_bytes();
        let tag = mac.tag(&[id.uuid().as_bytes(), &at, step.status.as_bytes(), step.sentence.as_bytes()]);
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&tag[..10]);
        let millis = u64::try_from(step.at.timestamp_millis()).unwrap_or(0);
        Id::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}
