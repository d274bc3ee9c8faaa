//! Reading the stream of an answer: from memory while this process writes it, from the log otherwise.

use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use futures_util::Stream;
use kernel::{AccountId, Caller, Problem, Tx};
use serde_json::json;

use crate::Chat;
use crate::error::Error;
use crate::live::Live;
use crate::model::{AnswerId, AnswerState, ChatEvent, EventKind};
use crate::permissions::READ;
use crate::standing::Standing;
use crate::store;
use crate::store::answers::Kept;

/// How often the log of an answer that another process writes is looked at, without jitter.
const POLL: Duration = Duration::from_millis(150);

impl Chat {
    /// Follows the stream of an answer of the caller, from the event after number `after` (0 for the beginning) to its
    /// end. Whoever resumes gets every event once and in order; a stream that has ended always says how, also to those
    /// who ask for what comes after that.
    ///
    /// # Errors
    /// The 404; [`Error::StreamExpired`]; the caller lacks [`READ`].
    pub async fn follow(
        &self,
        caller: &Caller,
        id: AnswerId,
        after: i64,
    ) -> Result<impl Stream<Item = ChatEvent> + Send + use<>, Error> {
        self.require_on()?;
        caller.require(READ)?;
        let account = caller.account()?;
        let documents =
            match self.registry().get(id).filter(|live| live.account == account && live.tenant == caller.tenant) {
                Some(live) => live.documents(),
                None => self.kept(caller, account, id).await?.documents,
            };
        let standing = Standing::new(self, caller, READ);
        let allowed = self.may_read(caller, &documents).await;
        let (chat, caller) = (self.clone(), caller.clone());
        Ok(stream! {
            if !allowed {
                yield revoked(after);
                return;
            }
            let mut reader = Reader { chat, caller, account, id, after, live: None };
            let mut lost = Box::pin(standing.lost());
            loop {
                let next = tokio::select! {
                    biased;
                    () = &mut lost => None,
                    next = reader.next() => Some(next),
                };
                let Some((events, over)) = next else {
                    yield revoked(reader.after);
                    return;
                };
                for event in events {
                    yield event;
                }
                if over {
                    return;
                }
            }
        })
    }

    /// An answer as it is kept, whose stream can still be read.
    async fn kept(&self, caller: &Caller, account: AccountId, id: AnswerId) -> Result<Kept, Error> {
        let seal = self.seal(caller.tenant);
        let find = async |tx: &Tx| store::answers::find(tx, &seal, account, id).await;
        let kept: Option<Kept> = self.db().read(caller, find).await?;
        let kept = kept.ok_or_else(Problem::not_found)?;
        let pruned = kept.answer.state != AnswerState::Running && kept.last_seq == 0;
        if pruned { Err(Error::StreamExpired) } else { Ok(kept) }
    }
}

/// Where one reader stands.
struct Reader {
    chat: Chat,
    caller: Caller,
    account: AccountId,
    id: AnswerId,
    after: i64,
    live: Option<(Arc<Live>, tokio::sync::watch::Receiver<usize>)>,
}

impl Reader {
    /// Waits for events; the second is whether nothing comes after them.
    async fn next(&mut self) -> (Vec<ChatEvent>, bool) {
        if self.live.is_none() {
            let live = self.chat.registry().get(self.id);
            let live = live.filter(|live| live.account == self.account && live.tenant == self.caller.tenant);
            self.live = live.map(|live| (Arc::clone(&live), live.watch()));
        }
        match &self.live {
            Some(_) => self.read_memory().await,
            None => self.read_log().await,
        }
    }

    async fn read_memory(&mut self) -> (Vec<ChatEvent>, bool) {
        let Some((live, shown)) = &mut self.live else { return (Vec::new(), false) };
        loop {
            shown.borrow_and_update();
            let (mut events, over) = live.since(self.after);
            if let Some(last) = events.last() {
                self.after = last.seq;
            }
            if over {
                if !events.last().is_some_and(|event| event.kind.is_end()) {
                    events.push(live.last().unwrap_or_else(|| broken(live.on_disk())));
                }
                return (events, true);
            }
            if !events.is_empty() {
                return (events, false);
            }
            if shown.changed().await.is_err() {
                return (vec![broken(live.on_disk())], true);
            }
        }
    }

    async fn read_log(&mut self) -> (Vec<ChatEvent>, bool) {
        let caller = self.chat.anew(&self.caller);
        let seal = self.chat.seal(caller.tenant);
        let read = async |tx: &Tx| {
            // The state first: what is appended between the two reads is seen the next time.
            let kept = store::answers::find(tx, &seal, self.account, self.id).await?;
            let mut events = store::events::read(tx, &seal, self.id, self.after).await?;
            let ended = kept.as_ref().filter(|kept| kept.answer.state != AnswerState::Running);
            if let Some(ended) = ended.filter(|_| events.is_empty()) {
                // Asked for what comes after the end: it says how it ended, and keeps nothing back.
                events = store::events::read(tx, &seal, self.id, ended.last_seq - 1).await?;
            }
            Ok::<_, Problem>((kept, events))
        };
        let outcome: Result<(Option<Kept>, Vec<ChatEvent>), Problem> = self.chat.db().read(&caller, read).await;
        match outcome {
            Ok((None, _)) => return (vec![broken(0)], true), // deleted
            Ok((Some(kept), events)) if !events.is_empty() => {
                self.after = events.last().map_or(self.after, |event| event.seq.max(self.after));
                let over = events.last().is_some_and(|event| event.kind.is_end());
                return (events, over || (kept.answer.state != AnswerState::Running && kept.last_seq == 0));
            }
            Ok((Some(kept), _)) if kept.answer.state != AnswerState::Running && kept.last_seq == 0 => {
                return (vec![broken(0)], true);
            }
            // Written here after all, and about to be found in memory.
            Ok((Some(kept), _)) if kept.process == self.chat.process() => {}
            Ok(_) => {}
            Err(problem) => tracing::warn!(?problem, "an answer's log can't be read"),
        }
        tokio::time::sleep(POLL.mul_f64(0.5 + self.chat.db().random().fraction())).await;
        (Vec::new(), false)
    }
}

/// The end of a stream that can't be told from the log: it broke off, and this much of it is kept.
fn broken(on_disk: i64) -> ChatEvent {
    let why = Problem::from(Error::Interrupted);
    let data = json!({
        "state": "interrupted", "last": on_disk,
        "code": why.code, "detail": why.detail, "retryable": why.kind.retryable(),
    });
    ChatEvent { seq: on_disk + 1, kind: EventKind::Interrupted, data: data.to_string().into() }
}

/// The end for one reader alone. It takes no number of its own: whoever comes back with the right goes on where they
/// were.
fn revoked(after: i64) -> ChatEvent {
    let why = Problem::from(Error::RightLost);
    let data = json!({ "state": "revoked", "code": why.code, "detail": why.detail, "retryable": false });
    ChatEvent { seq: after, kind: EventKind::Revoked, data: data.to_string().into() }
}
