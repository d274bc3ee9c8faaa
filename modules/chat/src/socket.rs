//! Chat over a WebSocket: the same questions, streams and stops as over HTTP, several at once on one connection.
//!
//! The client sends `{"type":"send","id":…,"conversation":…,"key":…,"message":{…}}`,
//! `{"type":"follow","id":…,"answer":…,"after":…}` or `{"type":"stop","id":…,"answer":…}`; it gets
//! `{"type":"answer","id":…,"answer":{…}}`, `{"type":"event","answer":…,"seq":…,"event":…,"data":{…}}` and
//! `{"type":"problem","id":…,"code":…,"detail":…}`, the `id` being the client's own.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll, Stream};
use kernel::{Caller, Problem};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Chat;
use crate::model::{AnswerId, ChatEvent, ConversationId, NewMessage};

/// The most streams on one connection.
const MAX_STREAMS: usize = 16;

/// Says who is at the other end of a connection, anew for each message: a session may have ended meanwhile.
#[async_trait]
pub trait Identifier: Send + Sync {
    /// The caller of one message.
    ///
    /// # Errors
    /// Why nobody may call: the connection ends.
    async fn caller(&self) -> Result<Caller, Problem>;
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Send { id: Option<String>, conversation: ConversationId, key: Option<String>, message: NewMessage },
    Follow { id: Option<String>, answer: AnswerId, after: Option<i64> },
    Stop { id: Option<String>, answer: AnswerId },
}

type Streams = SelectAll<BoxStream<'static, (AnswerId, ChatEvent)>>;

impl Chat {
    /// Talks over one connection until `incoming` ends, nobody takes what goes out, or the caller is nobody any more.
    pub async fn converse(
        &self,
        identifier: &dyn Identifier,
        mut incoming: impl Stream<Item = String> + Unpin + Send,
        outgoing: mpsc::Sender<String>,
    ) {
        let mut streams: Streams = SelectAll::new();
        loop {
            let text = tokio::select! {
                said = incoming.next() => match said {
                    None => return,
                    Some(text) => match identifier.caller().await {
                        Err(problem) => {
                            drop(outgoing.send(told(None, &problem)).await);
                            return;
                        }
                        Ok(caller) => self.said(&caller, &text, &mut streams).await,
                    },
                },
                Some((answer, event)) = streams.next(), if !streams.is_empty() => shown(answer, &event),
            };
            if outgoing.send(text).await.is_err() {
                return;
            }
        }
    }

    async fn said(&self, caller: &Caller, text: &str, streams: &mut Streams) -> String {
        match serde_json::from_str::<Said>(text) {
            Err(error) => {
                let reason: String = error.to_string().chars().take(200).collect();
                told(None, &Problem::field("message", "chat.message_malformed", format!("It can't be read: {reason}")))
            }
            Ok(said) => {
                let id = match &said {
                    Said::Send { id, .. } | Said::Follow { id, .. } | Said::Stop { id, .. } => id.clone(),
                };
                let outcome = self.act(caller, said, streams).await;
                outcome.map_or_else(
                    |problem| told(id.as_deref(), &problem),
                    |answer| json!({ "type": "answer", "id": id, "answer": answer }).to_string(),
                )
            }
        }
    }

    async fn act(&self, caller: &Caller, said: Said, streams: &mut Streams) -> Result<Value, Problem> {
        let room = streams.len() < MAX_STREAMS;
        let full = || Problem::from(crate::Error::TooManyAnswers);
        let (answer, after) = match said {
            Said::Stop { answer, .. } => {
                let stopped = self.stop_answer(caller, answer).await?;
                return serde_json::to_value(stopped).map_err(Problem::internal);
            }
            Said::Send { conversation, key, message, .. } => {
                if !room {
                    return Err(full());
                }
                let mut caller = caller.clone();
                caller.request.idempotency_key = key.filter(|key| (1..=255).contains(&key.len())).map(Arc::from);
                (self.send_message(&caller, conversation, message).await?, 0)
            }
            Said::Follow { answer, after, .. } => (self.get_answer(caller, answer).await?, after.unwrap_or(0).max(0)),
        };
        if !room {
            return Err(full());
        }
        let id = answer.id;
        let events = self.follow(caller, id, after).await?;
        streams.push(events.map(move |event| (id, event)).boxed());
        serde_json::to_value(answer).map_err(Problem::internal)
    }
}

fn told(id: Option<&str>, problem: &Problem) -> String {
    let status = problem.kind.status();
    json!({ "type": "problem", "id": id, "code": problem.code, "detail": problem.detail, "status": status }).to_string()
}

fn shown(answer: AnswerId, event: &ChatEvent) -> String {
    let data = RawValue::from_string(event.data.to_string()).ok();
    let data = data.as_deref().map_or("{}", RawValue::get);
    let kind = event.kind.as_str();
    format!("{{\"type\":\"event\",\"answer\":\"{answer}\",\"seq\":{},\"event\":\"{kind}\",\"data\":{data}}}", event.seq)
}
