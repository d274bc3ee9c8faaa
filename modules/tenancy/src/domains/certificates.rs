//! How certificates stand is somebody else's to know; here is what is asked of them.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::Problem;

use crate::domains::model::DomainCertificate;

/// Knows how the certificates of names stand. [`crate::Tenancy::show_certificates`] takes it.
#[async_trait]
pub trait DomainCertificates: Send + Sync + 'static {
    /// How the certificates of these names stand; those that are not wanted are left out.
    ///
    /// # Errors
    /// What the store says. Domains are shown without it then.
    async fn standing(&self, names: &[String]) -> Result<HashMap<String, DomainCertificate>, Problem>;

    /// What happened to the certificate of this name, the last of it.
    ///
    /// # Errors
    /// What the store says. Timelines are shown without it then.
    async fn timeline(&self, name: &str) -> Result<Vec<CertificateStep>, Problem>;
}

/// A step on a certificate's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStep {
    /// When.
    pub at: DateTime<Utc>,
    /// How the certificate stood after it.
    pub status: String,
    /// What happened, in a sentence.
    pub sentence: String,
    /// Why something went wrong, if it did: a stable code.
    pub code: Option<String>,
    /// What was seen.
    pub evidence: Option<String>,
    /// What to do about it.
    pub mend: Option<String>,
    /// When it goes on by itself.
    pub next_try_at: Option<DateTime<Utc>>,
}
