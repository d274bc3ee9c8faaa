//! Whether the asker may still have the answer: a right that is taken away ends the stream, not the next question.

use std::time::Duration;

use kernel::{Actor, Caller, Problem, TenantId, Tx};
use tokio::sync::broadcast;

use crate::Chat;
use crate::model::DocumentId;
use crate::permissions::WRITE;

/// How many times longer the pauses are when no document is at stake, but only the membership.
const WITHOUT_DOCUMENTS: u32 = 10;
/// Looks in a row that may fail before the right counts as lost.
const MAX_FAILURES: u32 = 5;

/// What is watched for one answer.
pub(crate) struct Standing {
    chat: Chat,
    caller: Caller,
    documents: Vec<DocumentId>,
    changes: broadcast::Receiver<TenantId>,
}

impl Standing {
    pub(crate) fn new(chat: &Chat, caller: &Caller, documents: Vec<DocumentId>) -> Self {
        Self { chat: chat.clone(), caller: caller.clone(), documents, changes: chat.changes() }
    }

    /// Completes when the right is lost. It looks at once after a change in this process, and every second or so,
    /// since another process may have made one.
    pub(crate) async fn lost(mut self) {
        let mut failures = 0;
        loop {
            self.wait().await;
            match self.chat.may_have(&self.caller, &self.documents).await {
                Ok(true) => failures = 0,
                Ok(false) => return,
                Err(problem) => {
                    failures += 1;
                    tracing::warn!(?problem, failures, "can't tell whether an answer may still be read");
                    if failures >= MAX_FAILURES {
                        return;
                    }
                }
            }
        }
    }

    async fn wait(&mut self) {
        let config = self.chat.config();
        let longer = if self.documents.is_empty() { WITHOUT_DOCUMENTS } else { 1 };
        let pause = Duration::from_millis(config.recheck_ms.max(10)) * longer;
        let pause = tokio::time::sleep(pause.mul_f64(0.75 + self.chat.db().random().fraction() / 2.0));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return,
                changed = self.changes.recv() => match changed {
                    Ok(tenant) if tenant != self.caller.tenant => {}
                    Err(broadcast::error::RecvError::Closed) => return pause.await,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                },
            }
        }
    }
}

impl Chat {
    /// Whether this caller may still ask, and read all of these documents.
    pub(crate) async fn may_have(&self, caller: &Caller, documents: &[DocumentId]) -> Result<bool, Problem> {
        let caller = &self.anew(caller);
        if let (Some(account), false) = (caller.actor.account(), matches!(caller.actor, Actor::System { .. })) {
            let find = async |tx: &Tx| self.tenancy().grants_of(tx, account).await;
            let grants = self.db().read(caller, find).await?;
            if !grants.permissions.contains(WRITE.0) {
                return Ok(false);
            }
        }
        if documents.is_empty() {
            return Ok(true);
        }
        match self.retriever() {
            Some(retriever) => Ok(retriever.still_permitted(caller, documents).await),
            None => Ok(false),
        }
    }
}
