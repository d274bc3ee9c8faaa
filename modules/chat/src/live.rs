//! An answer in the memory of the process that writes it.
//!
//! Its events are numbered here, by the one task that writes the answer, and kept until it has ended, so a reader in
//! this process waits for no disk. The log follows some milliseconds behind. Only the last event waits for it: a
//! stream that has ended is on disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{AccountId, Caller, TenantId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::{Answer, AnswerId, AnswerReason, AnswerState, ChatEvent, Citation, DocumentId, EventKind, Usage};

/// How an answer ended, for the rows that are written with its last event.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) state: AnswerState,
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
    pub(crate) usage: Usage,
    pub(crate) provider: Option<String>,
    pub(crate) model: Option<String>,
    /// Why, when it is not what was hoped for.
    pub(crate) reason: Option<AnswerReason>,
}

#[derive(Debug, Default)]
struct Book {
    events: Vec<ChatEvent>,
    /// How many of them are on disk.
    saved: usize,
    /// How many of them readers may see.
    shown: usize,
    documents: Vec<DocumentId>,
    ended: Option<Ended>,
    closed: bool,
    given_up: bool,
}

/// An answer that is being written here.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) id: AnswerId,
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) answer: Answer,
    /// Who asked; for the audit trail.
    pub(crate) caller: Caller,
    /// Cancelled when somebody stops it.
    pub(crate) stop: CancellationToken,
    dirty: AtomicBool,
    book: Mutex<Book>,
    shown: watch::Sender<usize>,
}

/// What the log writes next for an answer.
#[derive(Debug)]
pub(crate) struct Unsaved {
    pub(crate) events: Vec<ChatEvent>,
    pub(crate) documents: Vec<DocumentId>,
    pub(crate) ended: Option<Ended>,
}

impl Live {
    pub(crate) fn new(answer: Answer, account: AccountId, caller: Caller) -> Arc<Self> {
        Arc::new(Self {
            id: answer.id,
            tenant: caller.tenant,
            account,
            answer,
            caller,
            stop: CancellationToken::new(),
            dirty: AtomicBool::new(false),
            book: Mutex::default(),
            shown: watch::Sender::new(0),
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event; readers see it at once. Whether the log does not know yet that there is something to write.
    pub(crate) fn push(&self, kind: EventKind, data: impl Into<Arc<str>>) -> bool {
        let shown = {
            let mut book = self.book();
            let seq = i64::try_from(book.events.len()).unwrap_or(i64::MAX - 1) + 1;
            book.events.push(ChatEvent { seq, kind, data: data.into() });
            book.shown = book.events.len();
            book.shown
        };
        self.shown.send_replace(shown);
        !self.dirty.swap(true, Ordering::AcqRel)
    }

    /// Notes which documents the answer is made from.
    pub(crate) fn made_from(&self, documents: Vec<DocumentId>) {
        self.book().documents = documents;
    }

    /// Adds the last event, which readers see once it is on disk.
    pub(crate) fn end(&self, ended: Ended, data: impl Into<Arc<str>>) {
        let mut book = self.book();
        let seq = i64::try_from(book.events.len()).unwrap_or(i64::MAX - 1) + 1;
        book.events.push(ChatEvent { seq, kind: ended.state.ending(), data: data.into() });
        book.ended = Some(ended);
        self.dirty.store(true, Ordering::Release);
    }

    /// What is not on disk yet. What comes after this call makes the answer dirty again.
    pub(crate) fn unsaved(&self) -> Unsaved {
        self.dirty.store(false, Ordering::Release);
        let book = self.book();
        Unsaved {
            events: book.events[book.saved..].to_vec(),
            documents: book.documents.clone(),
            ended: book.ended.clone(),
        }
    }

    /// These many more events are on disk.
    pub(crate) fn saved(&self, count: usize, ended: bool) {
        let mut book = self.book();
        book.saved += count;
        if ended {
            book.shown = book.events.len();
            book.closed = true;
        }
        let shown = book.shown;
        drop(book);
        self.shown.send_replace(shown);
    }

    /// The log can't be written, or the answer is no longer this process's: readers are told that it broke off.
    pub(crate) fn give_up(&self) {
        self.book().given_up = true;
        self.stop.cancel();
        self.shown.send_modify(|_| {});
    }

    pub(crate) fn is_over(&self) -> bool {
        let book = self.book();
        book.closed || book.given_up
    }

    /// How many events readers may see, with what comes.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.shown.subscribe()
    }

    /// The events after number `after` that readers may see, and whether nothing will come after them.
    pub(crate) fn since(&self, after: i64) -> (Vec<ChatEvent>, bool) {
        let book = self.book();
        let first = usize::try_from(after).unwrap_or(0).min(book.shown);
        (book.events[first..book.shown].to_vec(), book.closed || book.given_up)
    }

    /// The last event that readers may see, if it is the end.
    pub(crate) fn last(&self) -> Option<ChatEvent> {
        let book = self.book();
        book.events[..book.shown].last().filter(|event| event.kind.is_end()).cloned()
    }

    /// The number of the last event on disk.
    pub(crate) fn on_disk(&self) -> i64 {
        i64::try_from(self.book().saved).unwrap_or(i64::MAX)
    }

    /// The documents that the answer is made from.
    pub(crate) fn documents(&self) -> Vec<DocumentId> {
        self.book().documents.clone()
    }
}
