//! The settings of this module.

use std::time::Duration;

use serde::Deserialize;

/// Limits and times of chat.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatConfig {
    /// Whether there is chat at all; without it every operation answers 404.
    pub enabled: bool,
    /// The most bytes of one message.
    pub max_message_bytes: usize,
    /// The most bytes of a request over the OpenAI wire.
    pub max_request_bytes: usize,
    /// The most bytes of one answer's text; it ends there.
    pub max_answer_bytes: usize,
    /// Earlier messages that a model is given, at most.
    pub history_messages: usize,
    /// Answers that one account has running at once.
    pub max_answers_per_account: usize,
    /// Answers that one tenant has running at once.
    pub max_answers_per_tenant: usize,
    /// Answers that this process has running at once.
    pub max_answers: usize,
    /// Seconds that an answer may take.
    pub answer_timeout: u64,
    /// Seconds for which an answer's stream can be resumed after its end.
    pub resume_window: u64,
    /// Milliseconds for which events gather before they are written together.
    pub gather_ms: u64,
    /// Milliseconds between two looks whether the asker may still read what the answer is made from.
    pub recheck_ms: u64,
    /// How often one provider is tried again before its first token.
    pub retries: u32,
    /// Failures in a row after which a provider is left alone, and for how many seconds.
    pub breaker_failures: u32,
    /// How long it is left alone, in seconds.
    pub breaker_seconds: u64,
    /// Passages that an answer is made from, at most.
    pub passages: u32,
}

impl ChatConfig {
    /// How long one unit of work of an answer may take.
    pub(crate) fn unit_time(&self) -> Duration {
        Duration::from_secs(15).min(self.answer_time())
    }

    pub(crate) fn answer_time(&self) -> Duration {
        Duration::from_secs(self.answer_timeout)
    }
}
