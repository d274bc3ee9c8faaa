//! The timeline of a name: what was done when, what came of it, and when it goes on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{cause::Cause, progress::Status};

/// One line of a name's timeline, written with the step that it tells of, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Where the name stands after it.
    pub status: Status,
    /// What happened, in a sentence for people.
    pub sentence: String,
    /// Why it failed, if it did; its code and mend come from [`Cause`].
    pub cause: Option<Cause>,
    /// What was seen: the CA's own words, a status, an order's address. Without secrets, at most 500 characters.
    pub evidence: Option<String>,
    /// When it goes on by itself.
    pub next_try: Option<DateTime<Utc>>,
}

/// The most characters of an evidence.
const EVIDENCE: usize = 500;

impl Entry {
    /// A step that went well.
    pub(crate) fn done(at: DateTime<Utc>, status: Status, sentence: impl Into<String>) -> Self {
        Self { at, status, sentence: sentence.into(), cause: None, evidence: None, next_try: None }
    }

    pub(crate) fn with_evidence(mut self, evidence: &str) -> Self {
        self.evidence = Some(bounded(evidence));
        self
    }

    pub(crate) fn with_next_try(mut self, at: DateTime<Utc>) -> Self {
        self.next_try = Some(at);
        self
    }

    /// What to do about it; none if it went well.
    pub fn mend(&self) -> Option<&'static str> {
        self.cause.map(Cause::mend)
    }
}

/// The first characters of a text that came from elsewhere, without control characters.
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(EVIDENCE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
