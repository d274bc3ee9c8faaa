//! Reading a branch of a conversation, and asking a question in it.

use std::sync::Arc;

use kernel::{AccountId, Caller, Problem, Tx};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::Chat;
use crate::announce::announce;
use crate::drive;
use crate::engine::{Question, Search};
use crate::error::Error;
use crate::live::Live;
use crate::model::{
    Answer, AnswerState, Branch, ConversationId, Message, MessageId, MessageList, MessageRole, NewMessage,
};
use crate::permissions::{READ, WRITE};
use crate::registry::Seat;
use crate::store;
use crate::store::messages::{Content, Draft, Kept};
use crate::upstream::Candidate;

/// The most messages of one reading.
const MAX_MESSAGES: i64 = 200;
/// The most collections that a question names.
const MAX_COLLECTIONS: usize = 100;

/// What the task that answers is given.
struct Plan {
    new: NewMessage,
    candidates: Vec<Candidate>,
    seat: Seat,
}

impl Chat {
    /// One branch of a conversation: the messages from its last one back towards the beginning.
    ///
    /// # Errors
    /// [`Error::BranchInvalid`], the 404, or the caller lacks [`READ`].
    pub async fn list_messages(
        &self,
        caller: &Caller,
        id: ConversationId,
        branch: Branch,
    ) -> Result<MessageList, Error> {
        let account = self.account(caller, READ)?;
        let Branch { leaf, through } = branch;
        if leaf.is_some() && through.is_some() {
            return Err(Error::BranchInvalid);
        }
        let seal = self.seal(caller.tenant);
        let read = async |tx: &Tx| {
            let found = store::conversations::find(tx, &seal, account, id, false).await?;
            found.ok_or_else(Problem::not_found)?;
            let leaf = match through {
                Some(through) => store::messages::newest_below(tx, id, through).await?,
                None => store::messages::find(tx, id, leaf).await?.map(|(leaf, _)| leaf),
            };
            let Some(leaf) = leaf else {
                return if branch == Branch::default() { Ok(None) } else { Err(Problem::not_found()) };
            };
            let path = store::messages::path(tx, &seal, id, leaf, MAX_MESSAGES).await?;
            Ok(Some((path, store::messages::children(tx, id).await?)))
        };
        let found: Result<_, Problem> = self.db().read(caller, read).await;
        let Some((path, children)) = found? else { return Ok(MessageList { items: Vec::new(), next: None }) };
        let next = path.first().and_then(|kept| kept.message.parent);
        let mut items = self.permitted(caller, path).await;
        for message in &mut items {
            message.siblings = children.get(&message.parent).cloned().unwrap_or_default();
        }
        Ok(MessageList { items, next })
    }

    /// The messages without the text of those that were made from what the caller may no longer read.
    async fn permitted(&self, caller: &Caller, path: Vec<Kept>) -> Vec<Message> {
        let mut all: Vec<_> = path.iter().flat_map(|kept| kept.documents.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        let whole = self.may_read(caller, &all).await;
        let mut items = Vec::with_capacity(path.len());
        for Kept { mut message, documents } in path {
            if !whole && !self.may_read(caller, &documents).await {
                message.content.clear();
                message.citations.clear();
                message.withheld = true;
            }
            items.push(message);
        }
        items
    }

    /// Asks a question. The answer is written by a task of the server's own; [`Chat::follow`] reads it.
    ///
    /// # Errors
    /// [`Error::MessageInvalid`], [`Error::CollectionsInvalid`], [`Error::ParentUnknown`], [`Error::ParentInvalid`],
    /// [`Error::ProviderUnknown`], [`Error::ModelUnknown`], [`Error::TooManyAnswers`], the 404, or the caller lacks
    /// [`WRITE`].
    pub async fn send_message(&self, caller: &Caller, id: ConversationId, new: NewMessage) -> Result<Answer, Error> {
        let account = self.account(caller, WRITE)?;
        self.check(&new)?;
        let candidates = self.candidates(caller, new.provider, new.model.as_deref()).await;
        self.db()
            .write_once(caller, "chat.send_message", &(id, &new), async |tx| {
                // In here, since a repetition takes no place and asks nobody.
                let seat = self.registry().seat(self.config(), caller.tenant, account)?;
                let plan = Plan { new: new.clone(), candidates: candidates.clone()?, seat };
                let answer = self.ask(tx, caller, account, id, &new).await?;
                let (chat, caller, answered) = (self.clone(), caller.clone(), answer.clone());
                // At the commit, so that an asker who leaves at this moment leaves no question without an answer.
                tx.on_commit(move || chat.begin(&caller, account, answered, plan));
                Ok(answer)
            })
            .await
    }

    fn check(&self, new: &NewMessage) -> Result<(), Error> {
        let most = self.config().max_message_bytes;
        if new.content.len() > most || new.content.trim().is_empty() || new.content.contains('\0') {
            return Err(Error::MessageInvalid(most));
        }
        match &new.collections {
            Some(collections) if collections.len() > MAX_COLLECTIONS => Err(Error::CollectionsInvalid),
            _ => Ok(()),
        }
    }

    /// The rows of a question and of its answer to come.
    async fn ask(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: AccountId,
        id: ConversationId,
        new: &NewMessage,
    ) -> Result<Answer, Error> {
        let seal = self.seal(tx.tenant());
        let found = store::conversations::find(tx, &seal, account, id, true).await?;
        found.ok_or_else(Problem::not_found)?;
        let parent = self.parent(tx, id, new).await?;
        let answer = Answer {
            id: tx.new_id(),
            conversation: id,
            question: tx.new_id(),
            message: tx.new_id(),
            state: AnswerState::Running,
            reason: None,
            provider: None,
            model: None,
            prompt_tokens: None,
            completion_tokens: None,
            created_at: tx.now(),
            ended_at: None,
        };
        let position = store::conversations::take_position(tx, id).await?.ok_or_else(Problem::not_found)?;
        let content = Content { text: new.content.clone(), ..Content::default() };
        let draft = Draft {
            id: answer.question,
            conversation: id,
            position,
            parent,
            role: MessageRole::User,
            content: &content,
            answer: answer.id,
        };
        store::messages::insert(tx, &seal, draft).await?;
        store::answers::insert(tx, &answer, account, self.process()).await?;
        let data = json!({
            "purpose": "chat_question", "conversation": id, "message": answer.question, "answer": answer.id,
            "collections": new.collections,
        });
        announce(tx, caller, "chat.message_sent", ("message", answer.question.to_string()), data).await?;
        Ok(answer)
    }

    async fn parent(&self, tx: &Tx, id: ConversationId, new: &NewMessage) -> Result<Option<MessageId>, Error> {
        if new.from_start {
            return if new.parent.is_none() { Ok(None) } else { Err(Error::ParentInvalid) };
        }
        match store::messages::find(tx, id, new.parent).await? {
            Some((parent, MessageRole::Assistant)) => Ok(Some(parent)),
            Some((_, MessageRole::User)) => Err(Error::ParentInvalid),
            None if new.parent.is_some() => Err(Error::ParentUnknown),
            None => Ok(None),
        }
    }

    /// Begins to write the answer.
    fn begin(&self, caller: &Caller, account: AccountId, answer: Answer, plan: Plan) {
        let Some(tasks) = self.tasks() else { return };
        let live = Live::new(answer, account, caller.clone());
        self.registry().add(&live);
        let chat = self.clone();
        tasks.spawn(async move {
            let question = chat.question(&live, plan.new, plan.candidates).await;
            match question {
                Ok(question) => chat.drive(live, question, plan.seat).await,
                Err(problem) => chat.fail(&live, &problem),
            }
        });
    }

    /// What is asked, with what was said before.
    async fn question(&self, live: &Live, new: NewMessage, candidates: Vec<Candidate>) -> Result<Question, Problem> {
        let caller = self.anew(&live.caller);
        let seal = self.seal(caller.tenant);
        let (id, question) = (live.answer.conversation, live.answer.question);
        let limit = i64::try_from(self.config().history_messages).unwrap_or(0) + 1;
        let read = async |tx: &Tx| store::messages::path(tx, &seal, id, question, limit).await;
        let path: Vec<Kept> = self.db().read(&caller, read).await?;
        let said = self.permitted(&caller, path).await;
        let kept = said.iter().filter(|message| !message.withheld && !message.content.is_empty());
        let messages: Vec<Value> =
            kept.map(|message| json!({ "role": message.role.as_str(), "content": message.content })).collect();
        let mut body = Map::new();
        body.insert("messages".to_owned(), messages.into());
        body.insert("stream".to_owned(), true.into());
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        let search = match new.collections {
            None => Search::Everywhere,
            Some(collections) if collections.is_empty() => Search::Nowhere,
            Some(collections) => Search::In(collections),
        };
        let until = Instant::now() + self.config().answer_time();
        Ok(Question { caller, query: new.content, search, body, candidates, until })
    }

    fn fail(&self, live: &Arc<Live>, problem: &Problem) {
        let ended = crate::live::Ended {
            state: AnswerState::Failed,
            text: String::new(),
            citations: Vec::new(),
            usage: crate::model::Usage::default(),
            provider: None,
            model: None,
            reason: Some(problem.into()),
        };
        let data = drive::ending(live, AnswerState::Failed, Some(problem));
        live.end(ended, data);
        self.log().ring(live);
    }
}
