//! Writing a stream of OpenAI's API: one line of JSON a chunk.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::engine::Step;
use crate::error::Error;
use crate::model::Usage;
use crate::upstream::Delta;

/// Turns steps into chunks.
pub(super) struct Writer {
    /// All of a chunk up to its choices.
    head: String,
    wants_usage: bool,
    /// The end of the text, kept back until it is known what it cites.
    finish: Option<Delta>,
    holdfast: Option<Value>,
    provider: Option<String>,
    usage: Usage,
    begun: bool,
}

impl Writer {
    pub(super) fn new(id: &str, created: i64, model: &str, wants_usage: bool) -> Self {
        let model = Value::from(model);
        let head = format!(
            "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":{model}"
        );
        let usage = Usage::default();
        Self { head, wants_usage, finish: None, holdfast: None, provider: None, usage, begun: false }
    }

    /// What the client gets for a step.
    pub(super) fn write(&mut self, step: Step) -> Option<String> {
        match step {
            Step::Delta(delta) if delta.finish.is_some() && delta.index == 0 => {
                // Text that comes with the end goes now.
                let text = delta.text.as_deref().is_some_and(|text| !text.is_empty());
                let now = text.then(|| self.chunk(&Delta { finish: None, ..delta.clone() }, None));
                self.finish = Some(if text { Delta { text: None, raw: None, ..delta } } else { delta });
                now
            }
            Step::Delta(delta) => Some(self.chunk(&delta, None)),
            Step::Passages(found) => {
                self.holdfast = Some(json!({ "rung": found.rung, "citations": [], "evidence": true }));
                None
            }
            Step::NoEvidence(reason) => {
                let holdfast = self.holdfast.get_or_insert_with(|| json!({}));
                holdfast["evidence"] = false.into();
                holdfast["reason"] = reason.as_str().into();
                None
            }
            Step::Chosen(provider, _) => {
                self.provider = Some(provider);
                None
            }
            Step::Citations(citations) => {
                self.holdfast.get_or_insert_with(|| json!({}))["citations"] = json!(citations);
                None
            }
            Step::Usage(usage) => {
                self.usage = usage;
                None
            }
            Step::End(state, problem) => Some(self.end(problem.or_else(|| state.problem()))),
        }
    }

    fn end(&mut self, problem: Option<kernel::Problem>) -> String {
        let Some(finish) = self.finish.take() else {
            let problem = problem.unwrap_or_else(|| Error::BrokeOff.into());
            return format!("data: {}\n\n", super::refusal(&problem));
        };
        if let Some(holdfast) = &mut self.holdfast {
            holdfast["provider"] = self.provider.clone().into();
        }
        let holdfast = self.holdfast.take();
        let mut text = self.chunk(&finish, holdfast.as_ref());
        if self.wants_usage {
            let usage = usage(self.usage);
            let result = write!(text, "{},\"choices\":[],\"usage\":{usage}}}\n\n", self.head);
            debug_assert!(result.is_ok(), "writing to a text never fails");
        }
        text.push_str("data: [DONE]\n\n");
        text
    }

    fn chunk(&mut self, delta: &Delta, holdfast: Option<&Value>) -> String {
        let raw = delta.raw.as_deref();
        let mut text = String::with_capacity(self.head.len() + raw.map_or(0, str::len) + 96);
        text.push_str(&self.head);
        let result = write!(text, ",\"choices\":[{{\"index\":{},\"delta\":", delta.index);
        debug_assert!(result.is_ok(), "writing to a text never fails");
        match raw {
            // In one line it goes on as it came; a line break would end the event.
            Some(raw) if !raw.bytes().any(|b| matches!(b, b'\n' | b'\r')) => text.push_str(raw),
            Some(raw) => text.push_str(&serde_json::from_str::<Value>(raw).unwrap_or_default().to_string()),
            None => text.push_str(&self.own(delta)),
        }
        text.push_str(",\"finish_reason\":");
        match &delta.finish {
            Some(reason) => text.push_str(&Value::from(reason.as_str()).to_string()),
            None => text.push_str("null"),
        }
        text.push_str("}]");
        if let Some(holdfast) = holdfast {
            text.push_str(",\"holdfast\":");
            text.push_str(&holdfast.to_string());
        }
        text.push_str("}\n\n");
        self.begun = true;
        text
    }

    /// A delta that no provider sent.
    fn own(&self, delta: &Delta) -> String {
        let mut own = json!({});
        if let Some(text) = &delta.text {
            own["content"] = text.as_str().into();
        }
        if !self.begun {
            own["role"] = "assistant".into();
        }
        own.to_string()
    }
}

/// Usage in OpenAI's words.
pub(super) fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AnswerState;

    fn delta(text: &str, raw: &str, finish: Option<&str>) -> Step {
        let text = Some(text.to_owned());
        Step::Delta(Delta { index: 0, text, raw: Some(raw.into()), finish: finish.map(str::to_owned) })
    }

    #[test]
    fn chunks_are_one_line_of_json_each_and_end_with_done() {
        let mut writer = Writer::new("chatcmpl-1", 7, "m\"x", true);
        let steps = [
            delta("a", "{\"content\":\n\"a\"}", None),
            delta("b", "{\"content\":\"b\"}", Some("stop")),
            Step::Usage(Usage { prompt_tokens: 2, completion_tokens: 3, estimated: false }),
            Step::End(AnswerState::Done, None),
        ];

        let text: String = steps.into_iter().filter_map(|step| writer.write(step)).collect();

        let events: Vec<&str> = text.split("\n\n").filter(|event| !event.is_empty()).collect();
        assert_eq!(events.len(), 5, "{text}");
        assert_eq!(events[4], "data: [DONE]");
        let read = |event: &str| serde_json::from_str::<Value>(event.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(read(events[0])["choices"][0]["delta"]["content"], "a");
        assert_eq!(read(events[0])["model"], "m\"x");
        assert_eq!(read(events[1])["choices"][0]["finish_reason"], Value::Null);
        assert_eq!(read(events[2])["choices"][0]["finish_reason"], "stop");
        assert_eq!(read(events[3])["usage"]["total_tokens"], 5);
    }

    #[test]
    fn a_stream_that_breaks_off_says_so_and_is_not_done() {
        let mut writer = Writer::new("x", 7, "m", false);
        let steps = [delta("a", "{}", None), Step::End(AnswerState::Failed, Some(Error::BrokeOff.into()))];

        let text: String = steps.into_iter().filter_map(|step| writer.write(step)).collect();

        assert!(text.contains("chat.provider_broke_off") && !text.contains("[DONE]"), "{text}");
    }
}
