//! Whether the asker may still have the answer: a right that is taken away ends the stream, not the next question.

use std::time::Duration;

use kernel::{Caller, Permission, TenantId, Vigil};
use tokio::sync::broadcast;
use tokio::time::sleep;

use crate::Chat;
use crate::model::DocumentId;

/// What is watched for one answer, or for one reader of it.
pub(crate) struct Standing {
    chat: Chat,
    vigil: Vigil,
    permission: Permission,
    documents: Vec<DocumentId>,
    changes: broadcast::Receiver<TenantId>,
    tenant: TenantId,
}

impl Standing {
    /// The caller must keep this permission and what they came by; what changes from here on is noticed.
    pub(crate) fn new(chat: &Chat, caller: &Caller, permission: Permission) -> Self {
        let (vigil, changes, tenant) = (Vigil::over(caller), chat.changes(), caller.tenant);
        Self { chat: chat.clone(), vigil, permission, documents: Vec::new(), changes, tenant }
    }

    /// The caller must keep the right to read all of these documents, too.
    pub(crate) fn with_documents(self, documents: Vec<DocumentId>) -> Self {
        Self { documents, ..self }
    }

    /// Completes when the right is lost. It looks at once after a change in this process, and every second or so,
    /// since another process may have made one.
    pub(crate) async fn lost(mut self) {
        loop {
            self.wait().await;
            if !self.holds().await {
                return;
            }
        }
    }

    async fn holds(&mut self) -> bool {
        match self.vigil.look().await {
            Ok(caller) if !caller.may(self.permission) => false,
            Ok(caller) => self.chat.may_read(caller, &self.documents).await,
            Err(_) => false,
        }
    }

    async fn wait(&mut self) {
        if self.documents.is_empty() {
            return self.vigil.due().await;
        }
        let pause = Duration::from_millis(self.chat.config().recheck_ms.max(10));
        let pause = sleep(pause.mul_f64(0.75 + self.chat.db().random().fraction() / 2.0));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return,
                () = self.vigil.due() => return,
                changed = self.changes.recv() => match changed {
                    Ok(tenant) if tenant != self.tenant => {}
                    Err(broadcast::error::RecvError::Closed) => return pause.await,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                },
            }
        }
    }
}

impl Chat {
    /// Whether this caller may read all of these documents now. What can't be asked is not permitted.
    pub(crate) async fn may_read(&self, caller: &Caller, documents: &[DocumentId]) -> bool {
        match self.retriever() {
            _ if documents.is_empty() => true,
            Some(retriever) => retriever.still_permitted(&self.anew(caller), documents).await,
            None => false,
        }
    }
}
