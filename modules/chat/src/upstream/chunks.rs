//! A provider's stream, read with tolerance: unknown members, comments, other events and some garbage are passed over;
//! what can't be gone on from is an error.

use std::borrow::Cow;
use std::collections::VecDeque;

use kernel::{EgressAnswer, Pace};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::events::Events;
use super::{Fault, again};
use crate::model::Usage;

/// Events in a row that are no JSON before the stream counts as broken.
const MAX_GARBAGE: u32 = 16;

/// A bit of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    /// Which of several answers it belongs to.
    pub(crate) index: u32,
    /// The text in it.
    pub(crate) text: Option<String>,
    /// All of it as the provider sent it: a JSON object.
    pub(crate) raw: Option<Box<str>>,
    /// Why this answer ends here.
    pub(crate) finish: Option<String>,
}

/// What comes out of a stream.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Delta(Delta),
    Usage(Usage),
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: i64,
    #[serde(default)]
    completion_tokens: i64,
}

/// An answer that comes bit by bit.
#[derive(Debug)]
pub(crate) struct Chunks {
    events: Events,
    ready: Ready,
    garbage: u32,
    over: bool,
}

/// What was read and not yet taken.
#[derive(Debug, Default)]
struct Ready {
    parts: VecDeque<Part>,
    /// The provider gave a reason for the end.
    finished: bool,
}

impl Chunks {
    pub(super) fn new(answer: EgressAnswer, pace: Pace) -> Self {
        Self { events: Events::new(answer, pace), ready: Ready::default(), garbage: 0, over: false }
    }

    /// Waits until the answer has begun: text, a call of a tool, or an end that the provider gave a reason for.
    pub(super) async fn await_first(&mut self) -> Result<(), Fault> {
        loop {
            let begun = self.ready.parts.iter().any(|part| match part {
                Part::Delta(delta) => {
                    delta.finish.is_some()
                        || delta.text.as_deref().is_some_and(|text| !text.is_empty())
                        || delta.raw.as_deref().is_some_and(|raw| raw.contains("\"tool_calls\""))
                }
                Part::Usage(_) => false,
            });
            if begun {
                return Ok(());
            }
            if self.over || !self.read().await? {
                return Err(again("it said nothing"));
            }
        }
    }

    /// The next part; `None` at a regular end.
    ///
    /// # Errors
    /// The stream broke off.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Fault> {
        loop {
            if let Some(part) = self.ready.parts.pop_front() {
                return Ok(Some(part));
            }
            if self.over || !self.read().await? {
                return if self.ready.finished { Ok(None) } else { Err(again("it ended without an end")) };
            }
        }
    }

    /// Reads one event; `false` when there is none any more.
    async fn read(&mut self) -> Result<bool, Fault> {
        let Some(data) = self.events.next().await? else {
            self.over = true;
            return Ok(false);
        };
        let data = std::str::from_utf8(data).map_err(|_| again("it sent no text"))?.trim();
        if data == "[DONE]" {
            self.ready.finished = true;
            self.over = true;
            return Ok(false);
        }
        match serde_json::from_str::<Chunk<'_>>(data) {
            Ok(chunk) => {
                self.ready.take(chunk)?;
                self.garbage = 0;
                Ok(true)
            }
            Err(_) if self.garbage < MAX_GARBAGE => {
                self.garbage += 1;
                Ok(true)
            }
            Err(_) => Err(again("it sent garbage")),
        }
    }
}

impl Ready {
    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), Fault> {
        if let Some(error) = chunk.error.filter(|error| error.get() != "null") {
            let reason = super::reason(format!("{{\"error\":{}}}", error.get()).as_bytes());
            return Err(again(&format!("it told of an error{reason}")));
        }
        for choice in chunk.choices {
            let said = choice.delta.and_then(|raw| serde_json::from_str::<Said<'_>>(raw.get()).ok());
            let text = said.and_then(|said| said.content).map(Cow::into_owned);
            let raw = choice.delta.map(|raw| Box::from(raw.get()));
            let finish = choice.finish_reason.map(Cow::into_owned);
            self.finished |= finish.is_some();
            self.parts.push_back(Part::Delta(Delta { index: choice.index, text, raw, finish }));
        }
        if let Some(usage) = chunk.usage {
            self.parts.push_back(Part::Usage(Usage {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                estimated: false,
            }));
        }
        Ok(())
    }
}
