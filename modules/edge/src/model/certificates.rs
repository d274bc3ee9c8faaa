//! Certificates.

use chrono::{DateTime, Utc};
use edge_certificates::{Entry, Record, Status};
use serde::{Deserialize, Serialize};

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum CertificateStatus {
    /// It waits for its turn.
    Pending,
    /// An order is being placed.
    Ordering,
    /// The challenge is being set.
    Authorizing,
    /// The authority looks at the challenge.
    Validating,
    /// The authority is asked for the certificate.
    Finalizing,
    /// The certificate is being fetched.
    Downloading,
    /// It is there and is served.
    Issued,
    /// A new one is under way while the former is served.
    Renewing,
    /// The last attempt failed; the failure says why and when it goes on.
    Failed,
}

impl CertificateStatus {
    /// As both APIs write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ordering => "ordering",
            Self::Authorizing => "authorizing",
            Self::Validating => "validating",
            Self::Finalizing => "finalizing",
            Self::Downloading => "downloading",
            Self::Issued => "issued",
            Self::Renewing => "renewing",
            Self::Failed => "failed",
        }
    }
}

impl From<Status> for CertificateStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Ordering => Self::Ordering,
            Status::Authorizing => Self::Authorizing,
            Status::Validating => Self::Validating,
            Status::Finalizing => Self::Finalizing,
            Status::Downloading => Self::Downloading,
            Status::Issued => Self::Issued,
            Status::Renewing => Self::Renewing,
            Status::Failed => Self::Failed,
        }
    }
}

/// Why the last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct CertificateFailure {
    /// A stable word for the cause.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// What was seen, in the authority's words.
    pub evidence: String,
    /// What to do about it.
    pub mend: String,
    pub at: DateTime<Utc>,
    /// When it is tried again by itself.
    pub next_try_at: DateTime<Utc>,
}

/// The certificate of a name, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Certificate {
    /// A host, or a wildcard such as `*.example.com`.
    pub name: String,
    /// Whose it is; the system tenant's are the installation's own.
    pub tenant_id: String,
    pub status: CertificateStatus,
    /// Who issued the one that is served.
    pub issuer: Option<String>,
    pub not_before: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    /// When it is renewed.
    pub renew_at: Option<DateTime<Utc>>,
    pub failure: Option<CertificateFailure>,
    /// When it is looked at again.
    pub next_look_at: DateTime<Utc>,
}

impl From<Record> for Certificate {
    fn from(record: Record) -> Self {
        let status = record.progress.status().into();
        let (held, failure) = (record.progress.held, record.progress.failure);
        let failure = failure.map(|failure| CertificateFailure {
            code: failure.cause.code().to_owned(),
            sentence: failure.cause.sentence().to_owned(),
            evidence: failure.evidence,
            mend: failure.cause.mend().to_owned(),
            at: failure.at,
            next_try_at: failure.next_try,
        });
        Self {
            name: record.name.as_str().to_owned(),
            tenant_id: record.tenant,
            status,
            not_before: held.as_ref().map(|held| held.not_before),
            expires_at: held.as_ref().map(|held| held.not_after),
            issuer: held.map(|held| held.issuer),
            renew_at: record.progress.renewal.map(|plan| plan.at),
            failure,
            next_look_at: record.due,
        }
    }
}

/// One step in a certificate's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct CertificateStep {
    /// Grows with each step of the name.
    pub number: i64,
    pub at: DateTime<Utc>,
    /// Where the certificate stood after it.
    pub status: CertificateStatus,
    /// What happened.
    pub sentence: String,
    /// A stable word for the cause, if it failed.
    pub code: Option<String>,
    /// What was seen.
    pub evidence: Option<String>,
    /// What to do about it.
    pub mend: Option<String>,
    /// When it goes on by itself.
    pub next_try_at: Option<DateTime<Utc>>,
}

impl CertificateStep {
    pub(crate) fn new(number: i64, entry: Entry) -> Self {
        Self {
            number,
            at: entry.at,
            status: entry.status.into(),
            code: entry.cause.map(|cause| cause.code().to_owned()),
            mend: entry.mend().map(str::to_owned),
            sentence: entry.sentence,
            evidence: entry.evidence,
            next_try_at: entry.next_try,
        }
    }
}
