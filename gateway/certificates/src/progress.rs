//! What is known of a name's certificate. All of it is persisted after each step.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{cause::Cause, settings::ChallengeKind};

/// What is known of the certificate of one name: what is held, what is under way, what failed last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Where the current attempt stands.
    pub step: Step,
    /// The certificate that is served.
    pub held: Option<Held>,
    /// When to renew it, and when to ask the CA again (RFC 9773).
    pub renewal: Option<RenewalPlan>,
    /// Why the last attempt failed; gone after the next success.
    pub failure: Option<Failure>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// Failed validations since the last success: they choose the kind of challenge that is tried next.
    pub failed_validations: u32,
    /// Whether the timeline already says that the name waits for the CA's limits.
    pub queued: bool,
    /// The issuer to begin with, as an index into the settings; others follow in their order.
    pub preferred_issuer: u32,
    /// The CA refused `replaces` for the certificate that is held: don't send it again.
    pub without_replaces: bool,
}

/// The steps of an attempt. Each is saved before the next begins, so that whoever takes over goes on from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Nothing under way: it waits for its time (to be ordered, renewed or tried again).
    #[default]
    Waiting,
    /// The issuer is chosen; the order is about to be placed.
    Ordering { attempt: Attempt },
    /// The order exists; its challenge is to be set.
    Authorizing { attempt: Attempt, order: String },
    /// The challenge is set; the CA is to be told, if it was not, and validates.
    Validating {
        attempt: Attempt,
        order: String,
        challenge: ChallengeKind,
        /// The TXT values set for DNS-01, to be removed at the end.
        txt: Vec<String>,
        /// Whether the CA was told that the challenge is ready.
        told: bool,
    },
    /// The CA is content; the key is made, and the request with it is to be sent (again, if in doubt).
    Finalizing { attempt: Attempt, order: String, key: Sealed },
    /// The request is accepted; the certificate is to be fetched.
    Downloading { attempt: Attempt, order: String, key: Sealed },
}

/// What an attempt began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The issuer's id in the settings.
    pub issuer: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When the step that it is in was first tried.
    pub step_since: DateTime<Utc>,
    /// Passing faults at this step so far.
    pub faults: u32,
    /// Whether the order says which certificate it replaces (RFC 9773, section 5).
    pub replaces: bool,
    /// Whether the CA does not count it against its limits.
    pub exempt: bool,
}

/// Sealed bytes, as base64 in text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(#[serde(with = "base64_text")] pub Vec<u8>);

/// The facts of the certificate that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Who issued it: an issuer's id in the settings.
    pub issuer: String,
    /// Its identifier for renewal information (RFC 9773, section 4.1), if it has one.
    pub ari_id: Option<String>,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
}

/// When the certificate that is held is renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalPlan {
    /// The moment within the window, the same for each replica.
    pub at: DateTime<Utc>,
    /// When to ask the CA for its window again; none if it gives none.
    pub ask_at: Option<DateTime<Utc>>,
    /// Questions in a row that were not answered.
    pub unanswered: u32,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// What was seen, in the CA's words.
    pub evidence: String,
    pub at: DateTime<Utc>,
    /// When it is tried again.
    pub next_try: DateTime<Utc>,
}

/// Where a name stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Ordering,
    Authorizing,
    Validating,
    Finalizing,
    Downloading,
    Issued,
    /// A new certificate is under way while the former is served.
    Renewing,
    Failed,
}

impl Progress {
    /// Where the name stands, for people.
    pub fn status(&self) -> Status {
        let working = match self.step {
            Step::Waiting if self.failure.is_some() => return Status::Failed,
            Step::Waiting if self.held.is_some() => return Status::Issued,
            Step::Waiting => return Status::Pending,
            Step::Ordering { .. } => Status::Ordering,
            Step::Authorizing { .. } => Status::Authorizing,
            Step::Validating { .. } => Status::Validating,
            Step::Finalizing { .. } => Status::Finalizing,
            Step::Downloading { .. } => Status::Downloading,
        };
        if self.held.is_some() { Status::Renewing } else { working }
    }
}

impl Step {
    /// The attempt that is under way.
    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Waiting => None,
            Self::Ordering { attempt }
            | Self::Authorizing { attempt, .. }
            | Self::Validating { attempt, .. }
            | Self::Finalizing { attempt, .. }
            | Self::Downloading { attempt, .. } => Some(attempt),
        }
    }

    pub(crate) fn attempt_mut(&mut self) -> Option<&mut Attempt> {
        match self {
            Self::Waiting => None,
            Self::Ordering { attempt }
            | Self::Authorizing { attempt, .. }
            | Self::Validating { attempt, .. }
            | Self::Finalizing { attempt, .. }
            | Self::Downloading { attempt, .. } => Some(attempt),
        }
    }

    /// The address of the order at the CA, once it is placed.
    pub fn order(&self) -> Option<&str> {
        match self {
            Self::Waiting | Self::Ordering { .. } => None,
            Self::Authorizing { order, .. }
            | Self::Validating { order, .. }
            | Self::Finalizing { order, .. }
            | Self::Downloading { order, .. } => Some(order),
        }
    }
}

mod base64_text {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map_err(de::Error::custom)
    }
}
