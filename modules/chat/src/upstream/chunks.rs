//! A provider's stream, read with tolerance: unknown members, comments, other events and some garbage are passed over;
//! what can't be gone on from is an error.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kernel::{EgressAnswer, EgressError, Pace};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bounds::bounded;
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
pub(crate) struct Chunks {
    events: BoxStream<'static, Result<Event, EventStreamError<EgressError>>>,
    ready: VecDeque<Part>,
    garbage: u32,
    finished: bool,
    over: bool,
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("finished", &self.finished).finish_non_exhaustive()
    }
}

impl Chunks {
    pub(super) fn new(answer: EgressAnswer, pace: Pace) -> Self {
        let events = bounded(answer, pace).eventsource().boxed();
        Self { events, ready: VecDeque::new(), garbage: 0, finished: false, over: false }
    }

    /// Waits until the answer has begun: text, a call of a tool, or an end that the provider gave a reason for.
    pub(super) async fn await_first(&mut self) -> Result<(), Fault> {
        loop {
            let begun = self.ready.iter().any(|part| match part {
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
            if let Some(part) = self.ready.pop_front() {
                return Ok(Some(part));
            }
            if self.over || !self.read().await? {
                return if self.finished { Ok(None) } else { Err(again("it ended without an end")) };
            }
        }
    }

    /// Reads one event; `false` when there is none any more.
    async fn read(&mut self) -> Result<bool, Fault> {
        let event = match self.events.next().await {
            None => {
                self.over = true;
                return Ok(false);
            }
            Some(Ok(event)) => event,
            Some(Err(EventStreamError::Transport(error))) => return Err(error.into()),
            Some(Err(_)) => return Err(again("it sent no text")),
        };
        let data = event.data.trim();
        if data == "[DONE]" {
            self.finished = true;
            self.over = true;
            return Ok(false);
        }
        match serde_json::from_str::<Chunk<'_>>(data) {
            Ok(chunk) => self.take(chunk).map(|()| true),
            Err(_) if self.garbage < MAX_GARBAGE => {
                self.garbage += 1;
                Ok(true)
            }
            Err(_) => Err(again("it sent garbage")),
        }
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), Fault> {
        if let Some(error) = chunk.error.filter(|error| error.get() != "null") {
            let reason = super::reason(format!("{{\"error\":{}}}", error.get()).as_bytes());
            return Err(again(&format!("it told of an error{reason}")));
        }
        self.garbage = 0;
        for choice in chunk.choices {
            let said = choice.delta.and_then(|raw| serde_json::from_str::<Said<'_>>(raw.get()).ok());
            let text = said.and_then(|said| said.content).map(Cow::into_owned);
            let raw = choice.delta.map(|raw| Box::from(raw.get()));
            let finish = choice.finish_reason.map(Cow::into_owned);
            self.finished |= finish.is_some();
            self.ready.push_back(Part::Delta(Delta { index: choice.index, text, raw, finish }));
        }
        if let Some(usage) = chunk.usage {
            self.ready.push_back(Part::Usage(Usage {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                estimated: false,
            }));
        }
        Ok(())
    }
}
