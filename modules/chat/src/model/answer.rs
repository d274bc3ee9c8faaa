//! An answer while it is written and after, and the events of its stream.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kernel::Problem;
use kernel::rest::Etag;
use serde::{Deserialize, Serialize};

use crate::error::Error;

use super::{AnswerId, ConversationId, MessageId};

/// How an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum AnswerState {
    /// Being written.
    Running,
    /// Whole.
    Done,
    /// Stopped by its asker; what came until then is kept.
    Stopped,
    /// The server ended in its middle; what was on disk is kept.
    Interrupted,
    /// The asker lost the right to read what it was made from.
    Revoked,
    /// No provider answered, or it broke off.
    Failed,
}

impl AnswerState {
    const ALL: [Self; 6] = [Self::Running, Self::Done, Self::Stopped, Self::Interrupted, Self::Revoked, Self::Failed];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Why a stream that ended in this state did so, when nobody gave another reason.
    pub(crate) fn problem(self) -> Option<Problem> {
        match self {
            Self::Interrupted => Some(Error::Interrupted.into()),
            Self::Revoked => Some(Error::RightLost.into()),
            Self::Failed => Some(Error::BrokeOff.into()),
            Self::Running | Self::Done | Self::Stopped => None,
        }
    }

    /// The event that ends a stream in this state.
    pub(crate) const fn ending(self) -> EventKind {
        match self {
            Self::Done | Self::Running => EventKind::Done,
            Self::Stopped => EventKind::Stopped,
            Self::Interrupted => EventKind::Interrupted,
            Self::Revoked => EventKind::Revoked,
            Self::Failed => EventKind::Error,
        }
    }
}

/// Why an answer is not what was hoped for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
#[graphql(name = "ChatAnswerReason")]
pub struct AnswerReason {
    /// Stays the same for programs, such as `chat.providers_failed`, `chat.interrupted` or `chat.nothing_found`.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
}

impl From<&Problem> for AnswerReason {
    fn from(problem: &Problem) -> Self {
        Self { code: problem.code.to_string(), detail: problem.detail.clone() }
    }
}

/// Why an answer rests on no document, although some were searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoEvidence {
    NothingFound,
    NothingCited,
}

impl NoEvidence {
    /// Its name in a stream.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NothingFound => "nothing_found",
            Self::NothingCited => "nothing_cited",
        }
    }
}

impl From<NoEvidence> for AnswerReason {
    fn from(lack: NoEvidence) -> Self {
        let detail = match lack {
            NoEvidence::NothingFound => "Nothing was found for this question in the documents that you may read.",
            NoEvidence::NothingCited => "The answer cites none of the passages that were found; check it elsewhere.",
        };
        Self { code: format!("chat.{}", lack.as_str()), detail: detail.to_owned() }
    }
}

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
#[graphql(name = "ChatAnswer")]
pub struct Answer {
    /// Names the answer; its stream is at `/api/v1/chat/answers/{id}/events`.
    pub id: AnswerId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The question.
    pub question: MessageId,
    /// The message that it becomes.
    pub message: MessageId,
    /// How it stands.
    pub state: AnswerState,
    /// Why it failed, was interrupted or revoked, or that it rests on no document; null for an answer like any other.
    pub reason: Option<AnswerReason>,
    /// Who wrote it: a provider's name, or `extractive` when it was made of passages alone.
    pub provider: Option<String>,
    /// With which model.
    pub model: Option<String>,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answer.
    pub completion_tokens: Option<i64>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Etag for Answer {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// What an answer cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: i64,
    /// Tokens of the answer.
    pub completion_tokens: i64,
    /// Whether Holdfast estimated them because the provider did not say.
    pub estimated: bool,
}

/// What an event of a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
#[graphql(name = "ChatEventKind")]
pub enum EventKind {
    /// What was found in the documents; comes first.
    Passages,
    /// The answer rests on no document: nothing was found, or nothing is cited.
    NoEvidence,
    /// More text.
    Token,
    /// What the text cites.
    Citations,
    /// Tokens used.
    Usage,
    /// The end: it is whole.
    Done,
    /// The end: it was stopped.
    Stopped,
    /// The end: the server ended in its middle.
    Interrupted,
    /// The end: the right to read what it is made from was taken away.
    Revoked,
    /// The end: it failed; the data is the problem.
    Error,
}

impl EventKind {
    const ALL: [Self; 10] = [
        Self::Passages,
        Self::NoEvidence,
        Self::Token,
        Self::Citations,
        Self::Usage,
        Self::Done,
        Self::Stopped,
        Self::Interrupted,
        Self::Revoked,
        Self::Error,
    ];

    /// Its name in a stream.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passages => "passages",
            Self::NoEvidence => "no_evidence",
            Self::Token => "token",
            Self::Citations => "citations",
            Self::Usage => "usage",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Revoked => "revoked",
            Self::Error => "error",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether nothing comes after it.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Interrupted | Self::Revoked | Self::Error)
    }
}

/// One event of an answer's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatEvent {
    /// 1, 2, 3 … without a gap.
    pub seq: i64,
    /// What it tells.
    pub kind: EventKind,
    /// A JSON object, in one line.
    pub data: Arc<str>,
}
