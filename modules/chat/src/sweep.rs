//! A process that writes answers says so once a second. When it falls silent in the middle, another one (or itself,
//! started again) ends its answers with an event that says what happened.

use std::time::Duration;

use audit::Entry;
use chrono::TimeDelta;
use kernel::{Caller, Problem, Tasks, Tx};
use serde_json::json;

use crate::Chat;
use crate::error::Error;
use crate::model::{AnswerReason, ChatEvent, EventKind, MessageRole};
use crate::store;
use crate::store::answers::Silent;
use crate::store::messages::{Content, Draft};

/// How often a process says that it is alive.
const BEAT: Duration = Duration::from_secs(1);
/// The silence after which it counts as gone.
const SILENCE: TimeDelta = TimeDelta::seconds(5);
/// The most events that are read again to keep their text.
const MAX_READS: usize = 1000;

impl Chat {
    /// Says that this process is alive, hears whom to stop, and looks after the answers of processes that are gone.
    pub(crate) async fn beat(self, tasks: Tasks) {
        while tasks.pause(BEAT).await {
            if let Err(problem) = self.beat_once().await {
                tracing::warn!(?problem, "the watch over answers fails");
            }
        }
    }

    async fn beat_once(&self) -> Result<(), Problem> {
        let platform = Caller::platform("chat");
        if !self.registry().is_empty() {
            let beat = async |tx: &Tx| store::answers::beat(tx, self.process()).await;
            let asked: Vec<_> = self.db().write(&platform, beat).await?;
            asked.into_iter().filter_map(|id| self.registry().get(id)).for_each(|live| live.stop.cancel());
        }
        let since = self.db().clock().now() - SILENCE;
        let silent = async |tx: &Tx| store::answers::silent(tx, self.process(), since).await;
        let silent: Vec<Silent> = self.db().read(&platform, silent).await?;
        for Silent { tenant_id, id } in silent {
            let caller = Caller::system("chat", tenant_id);
            self.db().write(&caller, async |tx| self.interrupt(tx, &caller, id, since).await).await?;
        }
        Ok(())
    }

    /// Ends the answer of a process that is gone. What is on disk of it is kept as its message.
    async fn interrupt(
        &self,
        tx: &Tx,
        caller: &Caller,
        id: crate::model::AnswerId,
        since: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), Problem> {
        let (seal, why) = (self.seal(tx.tenant()), Problem::from(Error::Interrupted));
        let taken = store::answers::take_over(tx, &seal, id, since, &AnswerReason::from(&why)).await?;
        let Some(taken) = taken else { return Ok(()) };
        let mut text = String::new();
        let mut after = 0;
        for _ in 0..MAX_READS {
            let events = store::events::read(tx, &seal, id, after).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            events.iter().filter(|event| event.kind == EventKind::Token).for_each(|event| text.push_str(&token(event)));
        }
        let data = json!({
            "message": taken.message, "state": "interrupted", "last": taken.last_seq - 1,
            "code": why.code, "detail": why.detail, "retryable": why.kind.retryable(),
        });
        let end = ChatEvent { seq: taken.last_seq, kind: EventKind::Interrupted, data: data.to_string().into() };
        store::events::append(tx, &seal, id, &[end]).await?;
        if let Some(position) = store::conversations::take_position(tx, taken.conversation).await? {
            let content = Content { text, citations: Vec::new(), documents: taken.documents.clone() };
            let draft = Draft {
                id: taken.message,
                conversation: taken.conversation,
                position,
                parent: Some(taken.question),
                role: MessageRole::Assistant,
                content: &content,
                answer: id,
            };
            store::messages::insert(tx, &seal, draft).await?;
        }
        metrics::counter!("holdfast_chat_answers_total", "state" => "interrupted").increment(1);
        let details = json!({ "purpose": "chat_answer", "state": "interrupted", "reason": why.code, "documents": taken.documents });
        events::publish(tx, "chat.answered", &id.to_string(), details.clone()).await?;
        audit::append(tx, caller, Entry::failure("chat.answered").target("answer", id).details(details)).await
    }
}

/// The text of a token event.
fn token(event: &ChatEvent) -> String {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_default();
    data["text"].as_str().unwrap_or_default().to_owned()
}
