//! Writing an answer: a task of the server's own follows the engine's steps, whoever reads them or leaves.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use kernel::Problem;
use serde::Serialize;
use serde_json::json;

use crate::Chat;
use crate::engine::{self, Question, Step};
use crate::live::{Ended, Live};
use crate::model::{AnswerReason, AnswerState, EventKind, Usage};
use crate::registry::Seat;

/// What is known of an answer while it is written.
struct Draft {
    ended: Ended,
    begun: Instant,
    first: bool,
}

impl Chat {
    /// Writes an answer to its end.
    pub(crate) async fn drive(self, live: Arc<Live>, question: Question, seat: Seat) {
        let mut draft = Draft::new();
        let mut problem = None;
        {
            let mut steps = pin!(engine::answer(self.clone(), question));
            loop {
                let step = tokio::select! {
                    biased;
                    () = live.stop.cancelled() => Some(Step::End(AnswerState::Stopped, None)),
                    () = self.draining().cancelled() => Some(Step::End(AnswerState::Interrupted, None)),
                    step = steps.next() => step,
                };
                match step {
                    Some(Step::End(state, why)) => {
                        draft.ended.state = state;
                        problem = why;
                        break;
                    }
                    Some(step) => self.take(&live, &mut draft, step),
                    None => break,
                }
            }
        } // the provider's call ends here
        let state = draft.ended.state;
        metrics::counter!("holdfast_chat_answers_total", "state" => state.as_str()).increment(1);
        metrics::histogram!("holdfast_chat_answer_seconds").record(draft.begun.elapsed().as_secs_f64());
        let problem = problem.or_else(|| state.problem());
        draft.ended.reason = problem.as_ref().map(AnswerReason::from).or(draft.ended.reason);
        let data = ending(&live, state, problem.as_ref());
        live.end(draft.ended, data);
        self.log().ring(&live);
        drop(seat);
    }

    fn take(&self, live: &Arc<Live>, draft: &mut Draft, step: Step) {
        let ended = &mut draft.ended;
        match step {
            Step::Passages(found) => {
                live.made_from(engine::documents(&found.passages));
                self.tell(live, EventKind::Passages, &found);
            }
            Step::NoEvidence(lack) => {
                self.tell(live, EventKind::NoEvidence, &json!({ "reason": lack.as_str() }));
                ended.reason = Some(lack.into());
            }
            Step::Chosen(provider, model) => {
                ended.provider = Some(provider);
                ended.model = model;
            }
            Step::Delta(delta) => {
                let Some(text) = delta.text.filter(|text| !text.is_empty() && delta.index == 0) else { return };
                ended.text.push_str(&text);
                self.tell(live, EventKind::Token, &Token { text: &text });
                if !std::mem::replace(&mut draft.first, true) {
                    let took = draft.begun.elapsed().as_secs_f64();
                    metrics::histogram!("holdfast_chat_first_token_seconds").record(took);
                }
            }
            Step::Citations(citations) => {
                self.tell(live, EventKind::Citations, &json!({ "citations": citations }));
                ended.citations = citations;
            }
            Step::Usage(usage) => {
                ended.usage = usage;
                self.tell(live, EventKind::Usage, &usage);
            }
            Step::End(..) => {}
        }
    }

    fn tell<T: Serialize>(&self, live: &Arc<Live>, kind: EventKind, data: &T) {
        let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
        if live.push(kind, data) {
            self.log().ring(live);
        }
    }
}

#[derive(Serialize)]
struct Token<'a> {
    text: &'a str,
}

impl Draft {
    fn new() -> Self {
        let ended = Ended {
            state: AnswerState::Failed,
            text: String::new(),
            citations: Vec::new(),
            usage: Usage::default(),
            provider: None,
            model: None,
            reason: None,
        };
        Self { ended, begun: Instant::now(), first: false }
    }
}

/// The data of a last event.
pub(crate) fn ending(live: &Live, state: AnswerState, problem: Option<&Problem>) -> String {
    let message = live.answer.message;
    let mut data = json!({ "message": message, "state": state.as_str() });
    if let Some(problem) = problem {
        data["code"] = problem.code.as_ref().into();
        data["detail"] = problem.detail.as_str().into();
        data["retryable"] = problem.kind.retryable().into();
    }
    data.to_string()
}
