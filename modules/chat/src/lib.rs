//! Chat: conversations, streamed answers that cite documents, providers of models, and the OpenAI wire.
//!
//! Start at [`Chat::send_message`] (a question), [`Chat::follow`] (the stream of its answer) and `engine` (how an answer
//! comes about). Owns the tables `chat_*`, stands on `kernel`, `audit`, `events` and `jobs`; what it needs of the vault
//! and of knowledge comes through [`Retriever`] and [`Embedder`], which the composition root connects.
//!
//! Publishes `chat.conversation_created`, `_updated`, `_deleted`, `chat.message_sent`, `chat.answered`,
//! `chat.provider_created`, `_updated`, `_deleted`, always without the text of anybody. The audit trail uses the same
//! names, and has `chat.asked` and `chat.documents_used` beside them. Hears `tenancy.tenant_purged` and
//! `tenancy.member_removed`.
//!
//! Deliberately absent: any way for a model to look something up by itself.

mod announce;
mod answers;
mod breaker;
mod config;
mod conversations;
mod drive;
mod engine;
mod error;
pub mod graphql; // faces, for the composition root only
mod grounding;
mod listing;
mod live;
mod log;
mod messages;
mod model;
mod permissions;
mod providers;
mod registry;
pub mod rest;
mod retriever;
mod seal;
mod socket;
mod standing;
mod store;
mod sweep;
mod tail;
#[cfg(test)]
mod tests;
mod upkeep;
mod upstream;
mod wire;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use kernel::{Caller, Db, Egress, Tasks, TenantId};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::log::Log;
use crate::providers::Known;
use crate::registry::Registry;
use crate::seal::Seal;
use crate::upstream::Upstream;
use crate::wire::Record;

pub use config::ChatConfig;
pub use error::Error;
pub use model::{
    Answer, AnswerId, AnswerKind, AnswerReason, AnswerState, Branch, ChatEvent, Citation, CollectionId, CollectionKind,
    Conversation, ConversationId, ConversationKind, DocumentId, DocumentKind, EventKind, Message, MessageId,
    MessageKind, MessageList, MessageRole, ModelProviderKind, NewConversation, NewMessage, NewProvider, Passage,
    Provider, ProviderId, ProviderKind, ProviderTest, Retrieved, UpdateConversation, UpdateProvider, Usage, VersionId,
    VersionKind,
};
pub use permissions::{PERMISSIONS, PROVIDERS_READ, PROVIDERS_WRITE, READ, WRITE};
pub use retriever::{Embedder, Retriever};
pub use socket::Identifier;

/// Changes that may wait for a stream to look at them.
const CHANGES: usize = 1024;

/// Chat. Cheap to clone.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    db: Db,
    config: ChatConfig,
    /// Names this process among those that write answers.
    process: Uuid,
    retriever: Option<Arc<dyn Retriever>>,
    embedder: Option<Arc<dyn Embedder>>,
    upstream: Upstream,
    registry: Registry,
    log: Log,
    record: Record,
    known: Known,
    changes: broadcast::Sender<TenantId>,
    draining: CancellationToken,
    tasks: OnceLock<Tasks>,
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chat({})", self.0.process)
    }
}

impl Chat {
    /// Chat over this database. Without a `retriever` no documents are searched, without an `embedder` there are no embeddings.
    pub fn new(
        db: Db,
        egress: Egress,
        config: ChatConfig,
        retriever: Option<Arc<dyn Retriever>>,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Self {
        let changes = broadcast::Sender::new(CHANGES);
        Self(Arc::new(Inner {
            process: db.random().uuid(),
            upstream: Upstream::new(egress, &config, db.random().clone()),
            registry: Registry::default(),
            log: Log::default(),
            record: Record::default(),
            known: Known::default(),
            draining: CancellationToken::new(),
            tasks: OnceLock::new(),
            db,
            config,
            retriever,
            embedder,
            changes,
        }))
    }

    /// Starts the writing of logs and the watch over answers that other processes left.
    pub fn start(&self, tasks: &Tasks) {
        if !self.0.config.enabled || self.0.tasks.set(tasks.clone()).is_err() {
            return;
        }
        tasks.spawn(self.clone().write_logs(tasks.clone()));
        tasks.spawn(self.clone().write_record(tasks.clone()));
        tasks.spawn(self.clone().beat(tasks.clone()));
    }

    /// Ends the answers under way with an event that says so: the process is about to stop.
    pub fn drain(&self) {
        self.0.draining.cancel();
    }

    /// To be called after a commit that changed what somebody in this tenant may read: streams look again at once.
    pub fn changed(&self, tenant: TenantId) {
        drop(self.0.changes.send(tenant));
    }

    /// Whether chat is switched on.
    ///
    /// # Errors
    /// [`Error::Off`].
    pub(crate) fn require_on(&self) -> Result<(), Error> {
        if self.0.config.enabled { Ok(()) } else { Err(Error::Off) }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn config(&self) -> &ChatConfig {
        &self.0.config
    }

    pub(crate) fn process(&self) -> Uuid {
        self.0.process
    }

    pub(crate) fn retriever(&self) -> Option<&Arc<dyn Retriever>> {
        self.0.retriever.as_ref()
    }

    pub(crate) fn embedder(&self) -> Option<&Arc<dyn Embedder>> {
        self.0.embedder.as_ref()
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn log(&self) -> &Log {
        &self.0.log
    }

    pub(crate) fn record(&self) -> &Record {
        &self.0.record
    }

    pub(crate) fn known(&self) -> &Known {
        &self.0.known
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<TenantId> {
        self.0.changes.subscribe()
    }

    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.0.draining
    }

    /// The tasks of the process; `None` before [`Self::start`].
    pub(crate) fn tasks(&self) -> Option<&Tasks> {
        self.0.tasks.get()
    }

    pub(crate) fn seal(&self, tenant: TenantId) -> Seal {
        Seal::new(self.0.db.keys(), tenant)
    }

    /// The same caller with time for one more unit of work: an answer outlives the request that asked for it.
    pub(crate) fn anew(&self, caller: &Caller) -> Caller {
        let mut caller = caller.clone();
        caller.request.deadline = Instant::now() + self.0.config.unit_time();
        caller.request.idempotency_key = None;
        caller
    }
}
