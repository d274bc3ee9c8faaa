//! How the certificates of tenants' domains stand, as tenancy shows it beside them.

use std::collections::HashMap;

use async_trait::async_trait;
use edge::Edge;
use kernel::Problem;
use tenancy::{CertificateStep, DomainCertificate, DomainCertificates};

/// The steps that a domain's timeline shows.
const STEPS: u32 = 64;

/// The edge's certificates.
pub struct EdgeCertificates(pub Edge);

#[async_trait]
impl DomainCertificates for EdgeCertificates {
    async fn standing(&self, names: &[String]) -> Result<HashMap<String, DomainCertificate>, Problem> {
        let told = |certificate: edge::Certificate| {
            let failure = certificate.failure;
            let (code, sentence, mend, next_try_at) = match failure {
                Some(it) => (Some(it.code), Some(it.sentence), Some(it.mend), Some(it.next_try_at)),
                None => (None, None, None, None),
            };
            let status = certificate.status.word().to_owned();
            let expires_at = certificate.expires_at;
            (certificate.name, DomainCertificate { status, expires_at, code, sentence, mend, next_try_at })
        };
        Ok(self.0.standing(names).await?.into_iter().map(told).collect())
    }

    async fn timeline(&self, name: &str) -> Result<Vec<CertificateStep>, Problem> {
        let told = |step: edge::CertificateStep| CertificateStep {
            at: step.at,
            status: step.status.word().to_owned(),
            sentence: step.sentence,
            code: step.code,
            evidence: step.evidence,
            mend: step.mend,
            next_try_at: step.next_try_at,
        };
        Ok(self.0.steps(name, STEPS).await?.into_iter().map(told).collect())
    }
}
