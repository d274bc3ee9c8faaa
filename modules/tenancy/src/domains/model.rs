//! The words about domains, as both faces and other modules see them.

use chrono::{DateTime, Utc};
use kernel::rest::Etag;
use kernel::{Id, IdKind, TenantId};
use serde::{Deserialize, Serialize};

/// Names a domain: `dom_…`.
pub enum DomainKind {}
impl IdKind for DomainKind {
    const PREFIX: &'static str = "dom";
}
/// Names a domain.
pub type DomainId = Id<DomainKind>;

/// Names a step of a domain: `dst_…`.
pub enum DomainStepKind {}
impl IdKind for DomainStepKind {
    const PREFIX: &'static str = "dst";
}
/// Names a step of a domain.
pub type DomainStepId = Id<DomainStepKind>;

/// How a domain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum DomainStatus {
    /// Claimed; the proof was not seen yet, or another tenant holds the name.
    Pending,
    /// Held: requests for it are this tenant's.
    Verified,
    /// Held, but something broke since all was well.
    Failing,
    /// No longer held: the proof was missing for too long. The claim is open again, with a new proof.
    Lapsed,
}

impl DomainStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Failing => "failing",
            Self::Lapsed => "lapsed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Pending, Self::Verified, Self::Failing, Self::Lapsed].into_iter().find(|it| it.as_str() == name)
    }

    /// Whether the name is this tenant's.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Verified | Self::Failing)
    }
}

/// How one part of a domain stood at its last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum DomainPart {
    /// As it ought to be.
    Ok,
    /// Not as it ought to be; see the findings.
    Wrong,
    /// It could not be told, or was never looked at.
    Unknown,
    /// There is nothing to compare with: no targets, or no issuers, are set.
    NotChecked,
}

impl DomainPart {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
            Self::NotChecked => "not_checked",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Ok, Self::Wrong, Self::Unknown, Self::NotChecked].into_iter().find(|it| it.as_str() == name)
    }
}

/// A DNS record to be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct DomainRecord {
    /// What it is for: `proof` or `address`.
    pub purpose: String,
    /// `TXT`, `A`, `AAAA`, `CNAME`, or `ALIAS` where a CNAME can't stand.
    #[oai(rename = "type")]
    #[graphql(name = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands, as a whole name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// Something that is wrong with a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct DomainFinding {
    /// A stable code such as `dns.wrong_target`.
    pub code: String,
    /// What is wrong, in a sentence.
    pub sentence: String,
    /// What was seen, a line for each resolver.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub mend: String,
}

/// How the certificate of a domain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct DomainCertificate {
    /// Such as `issued`, or the step that it is at.
    pub status: String,
    /// Until when the one that is served is good; null without one.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, if it did.
    pub code: Option<String>,
    /// The same in a sentence.
    pub sentence: Option<String>,
    /// What to do about it.
    pub mend: Option<String>,
    /// When it goes on by itself.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// A name of the tenant's own, or on its way to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Domain {
    /// Names the domain.
    pub id: DomainId,
    /// In A-labels; `*.example.com` is for all names one label below.
    pub name: String,
    /// The name in the letters that people read.
    pub display_name: String,
    /// How it stands.
    pub status: DomainStatus,
    /// Whether it is held and nothing is in the way of visitors, as far as DNS tells.
    pub ready: bool,
    /// The records to be set at the domain's DNS provider.
    pub records: Vec<DomainRecord>,
    /// Whether the proof is there.
    pub proof: DomainPart,
    /// Whether the name leads here.
    pub address: DomainPart,
    /// Whether CAA records let the certificate authority issue.
    pub caa: DomainPart,
    /// What is wrong, what matters most first.
    pub findings: Vec<DomainFinding>,
    /// How its certificate stands; null while none is wanted.
    pub certificate: Option<DomainCertificate>,
    /// When it was checked last.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it is checked next.
    pub next_check_at: DateTime<Utc>,
    /// Since when it is held.
    pub verified_at: Option<DateTime<Utc>>,
    /// Since when a held domain's proof is missing; after the grace it lapses.
    pub proof_missing_since: Option<DateTime<Utc>>,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every check and change.
    pub version: i64,
}

impl Etag for Domain {
    /// None while the certificate is shown, which changes on its own.
    fn version(&self) -> Option<i64> {
        self.certificate.is_none().then_some(self.version)
    }
}

/// A name to be claimed.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewDomain {
    /// Such as `app.example.com`, or `*.example.com` for all names one label below.
    #[oai(validator(max_length = 500))]
    pub name: String,
}

/// A step on a domain's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct DomainStep {
    /// Names the step.
    pub id: DomainStepId,
    /// What it is about: `domain` or `certificate`.
    pub about: String,
    /// When it happened, the first time.
    pub at: DateTime<Utc>,
    /// When the same happened last.
    pub last_at: DateTime<Utc>,
    /// How often it happened in a row.
    pub times: i64,
    /// How the domain, or its certificate, stood after it.
    pub status: String,
    /// What happened, in a sentence.
    pub sentence: String,
    /// Why something went wrong, if it did: a stable code.
    pub code: Option<String>,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub mend: Option<String>,
    /// When it goes on by itself.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// A domain that somebody holds, for other parts of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDomain {
    /// Names it.
    pub id: DomainId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name in A-labels, perhaps a wildcard.
    pub name: String,
    /// Whether nothing is in the way of a certificate, as far as DNS tells.
    pub ready: bool,
}

/// What is said of a domain in events and in the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DomainNews<'a> {
    pub(crate) domain: DomainId,
    pub(crate) tenant: TenantId,
    pub(crate) name: &'a str,
    pub(crate) ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'a str>,
}
