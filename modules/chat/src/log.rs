//! The log of answers, written behind them: what all answers of a tenant have gathered in some milliseconds goes to
//! disk in one unit of work. A reader in this process does not wait for it; a stream's last event does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit::Entry;
use futures_util::future::join_all;
use kernel::{Caller, Problem, Tasks, TenantId, Tx};
use serde_json::json;
use tokio::sync::Notify;

use crate::Chat;
use crate::live::{Ended, Live, Unsaved};
use crate::model::{AnswerId, AnswerState, MessageRole};
use crate::store;
use crate::store::messages::{Content, Draft};

/// The pause after a write that failed, and how many of them in a row an answer survives.
const PAUSE: Duration = Duration::from_millis(500);
const MAX_FAILURES: u32 = 40;
/// How often the log looks whether it may end, while the process stops.
const CLOSING: Duration = Duration::from_millis(20);

/// Answers with something to write.
#[derive(Debug, Default)]
pub(crate) struct Log {
    dirty: Mutex<Vec<Arc<Live>>>,
    bell: Notify,
}

impl Log {
    /// There is something to write for this answer.
    pub(crate) fn ring(&self, live: &Arc<Live>) {
        self.dirty().push(Arc::clone(live));
        self.bell.notify_one();
    }

    fn dirty(&self) -> MutexGuard<'_, Vec<Arc<Live>>> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Batch = Vec<(Arc<Live>, Unsaved)>;

impl Chat {
    /// Writes logs until the process stops and every answer has ended.
    pub(crate) async fn write_logs(self, tasks: Tasks) {
        let gather = Duration::from_millis(self.config().gather_ms);
        let mut failures = 0;
        loop {
            tokio::select! {
                () = self.log().bell.notified() => {}
                () = tasks.stopping() => {
                    self.drain();
                    if self.registry().is_empty() {
                        return;
                    }
                    tokio::time::sleep(CLOSING).await;
                }
            }
            tokio::time::sleep(gather).await;
            if self.flush(failures >= MAX_FAILURES).await {
                failures = 0;
            } else {
                failures += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Writes what there is, every tenant's in a unit of its own; whether all of it is on disk.
    async fn flush(&self, give_up: bool) -> bool {
        let mut tenants: HashMap<TenantId, HashMap<AnswerId, Arc<Live>>> = HashMap::new();
        for live in std::mem::take(&mut *self.log().dirty()) {
            tenants.entry(live.tenant).or_default().insert(live.id, live);
        }
        let work = tenants.into_iter().map(|(tenant, lives)| self.flush_tenant(tenant, lives, give_up));
        join_all(work).await.into_iter().all(|written| written)
    }

    async fn flush_tenant(&self, tenant: TenantId, lives: HashMap<AnswerId, Arc<Live>>, give_up: bool) -> bool {
        let unsaved =
            lives.into_values().filter(|live| !live.is_over()).map(|live| (Arc::clone(&live), live.unsaved()));
        let batch: Batch = unsaved.filter(|(_, unsaved)| !unsaved.events.is_empty()).collect();
        match self.write_batch(tenant, &batch).await {
            Ok(kept) => {
                for (live, unsaved) in &batch {
                    if !kept.contains(&live.id) {
                        live.give_up();
                    }
                    live.saved(unsaved.events.len(), unsaved.ended.is_some() && kept.contains(&live.id));
                    if live.is_over() {
                        self.registry().remove(live.id);
                    }
                }
                true
            }
            Err(problem) => {
                tracing::error!(?problem, answers = batch.len(), give_up, "the logs of answers can't be written");
                for (live, _) in &batch {
                    if give_up {
                        live.give_up();
                        self.registry().remove(live.id);
                    } else {
                        self.log().ring(live);
                    }
                }
                false
            }
        }
    }

    /// Writes one tenant's part; the answers that were still this process's to write.
    async fn write_batch(&self, tenant: TenantId, batch: &Batch) -> Result<Vec<AnswerId>, Problem> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let seal = self.seal(tenant);
        metrics::histogram!("holdfast_chat_log_batch_answers")
            .record(f64::from(u32::try_from(batch.len()).unwrap_or(0)));
        self.db()
            .write(&Caller::system("chat", tenant), async |tx| {
                let mut kept = Vec::with_capacity(batch.len());
                for (live, unsaved) in batch {
                    let last = unsaved.events.last().map_or(0, |event| event.seq);
                    if !store::answers::advance(tx, live, self.process(), last, &unsaved.documents).await? {
                        continue; // deleted, or taken over
                    }
                    store::events::append(tx, &seal, live.id, &unsaved.events).await?;
                    if let Some(ended) = &unsaved.ended {
                        self.finish(tx, live, ended, unsaved).await?;
                    }
                    kept.push(live.id);
                }
                Ok(kept)
            })
            .await
    }

    /// The rows that stand for a whole answer: itself, its message, the entry in the trail.
    async fn finish(&self, tx: &Tx, live: &Live, ended: &Ended, unsaved: &Unsaved) -> Result<(), Problem> {
        store::answers::finish(tx, &self.seal(tx.tenant()), live.id, ended).await?;
        let content = Content {
            text: ended.text.clone(),
            citations: ended.citations.clone(),
            documents: unsaved.documents.clone(),
        };
        let answer = &live.answer;
        if let Some(position) = store::conversations::take_position(tx, answer.conversation).await? {
            let draft = Draft {
                id: answer.message,
                conversation: answer.conversation,
                position,
                parent: Some(answer.question),
                role: MessageRole::Assistant,
                content: &content,
                answer: answer.id,
            };
            store::messages::insert(tx, &self.seal(tx.tenant()), draft).await?;
        }
        let details = json!({
            "purpose": "chat_answer", "conversation": answer.conversation, "question": answer.question,
            "message": answer.message, "state": ended.state, "reason": ended.reason.as_ref().map(|reason| &reason.code), "provider": ended.provider,
            "model": ended.model, "documents": unsaved.documents, "usage": ended.usage,
        });
        let entry = match ended.state {
            AnswerState::Failed | AnswerState::Interrupted => Entry::failure("chat.answered"),
            AnswerState::Revoked => Entry::denied("chat.answered"),
            _ => Entry::success("chat.answered"),
        };
        let id = live.id.to_string();
        events::publish(tx, "chat.answered", &id, details.clone()).await?;
        audit::append(tx, &live.caller, entry.target("answer", id).details(details)).await
    }
}
