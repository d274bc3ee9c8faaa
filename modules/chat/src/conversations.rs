//! Making, seeing, renaming and deleting one's own conversations.

use kernel::{AccountId, Caller, Expected, ListParams, ListRequest, Page, Permission, Problem, Tx};
use serde_json::json;

use crate::Chat;
use crate::announce::announce;
use crate::error::Error;
use crate::listing;
use crate::model::{Conversation, ConversationId, NewConversation, UpdateConversation};
use crate::permissions::{READ, WRITE};
use crate::store;

/// The most characters of a title.
const MAX_TITLE: usize = 200;

fn parse_title(title: &str) -> Result<String, Error> {
    let title = title.trim();
    let fits = title.chars().count() <= MAX_TITLE && !title.chars().any(char::is_control);
    if fits { Ok(title.to_owned()) } else { Err(Error::TitleInvalid) }
}

impl Chat {
    /// The account that asks, if it may.
    pub(crate) fn account(&self, caller: &Caller, permission: Permission) -> Result<AccountId, Error> {
        self.require_on()?;
        caller.require(permission)?;
        Ok(caller.account()?)
    }

    /// A page of the caller's conversations.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`READ`].
    pub async fn list_conversations(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Conversation>), Error> {
        let account = self.account(caller, READ)?;
        let request = ListRequest::new(&listing::CONVERSATIONS, params, caller, self.db().keys())?;
        let seal = self.seal(caller.tenant);
        let list = async |tx: &Tx| store::conversations::list(tx, &seal, account, &request).await;
        let items: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One of the caller's conversations.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn get_conversation(&self, caller: &Caller, id: ConversationId) -> Result<Conversation, Error> {
        let account = self.account(caller, READ)?;
        let seal = self.seal(caller.tenant);
        let find = async |tx: &Tx| store::conversations::find(tx, &seal, account, id, false).await;
        let found: Option<_> = self.db().read(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Makes a conversation of the caller's own.
    ///
    /// # Errors
    /// [`Error::TitleInvalid`], or the caller lacks [`WRITE`].
    pub async fn create_conversation(&self, caller: &Caller, new: NewConversation) -> Result<Conversation, Error> {
        let account = self.account(caller, WRITE)?;
        let title = parse_title(new.title.as_deref().unwrap_or_default())?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.create_conversation", &new, async |tx| {
                let now = tx.now();
                let conversation = Conversation {
                    id: tx.new_id(),
                    title: title.clone(),
                    messages: 0,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                store::conversations::insert(tx, &seal, account, &conversation).await?;
                told(tx, caller, "chat.conversation_created", conversation.id).await?;
                Ok(conversation)
            })
            .await
    }

    /// Renames one of the caller's conversations.
    ///
    /// # Errors
    /// 412 about the version, [`Error::TitleInvalid`], the 404, or the caller lacks [`WRITE`].
    pub async fn update_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
        expected: Expected,
        update: UpdateConversation,
    ) -> Result<Conversation, Error> {
        let account = self.account(caller, WRITE)?;
        let title = update.title.clone().required("title")?.map(|title| parse_title(&title)).transpose()?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.update_conversation", &(id, &update), async |tx| {
                let found = store::conversations::find(tx, &seal, account, id, true).await?;
                let mut conversation = found.ok_or_else(Problem::not_found)?;
                expected.check(conversation.version)?;
                if let Some(title) = &title {
                    conversation.title.clone_from(title);
                    store::conversations::update(tx, &seal, &mut conversation).await?;
                    told(tx, caller, "chat.conversation_updated", id).await?;
                }
                Ok(conversation)
            })
            .await
    }

    /// Deletes one of the caller's conversations with all its messages; an answer under way ends.
    ///
    /// # Errors
    /// 412 about the version, the 404, or the caller lacks [`WRITE`].
    pub async fn delete_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
        expected: Expected,
    ) -> Result<(), Error> {
        let account = self.account(caller, WRITE)?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.delete_conversation", &id, async |tx| {
                let found = store::conversations::find(tx, &seal, account, id, true).await?;
                expected.check(found.ok_or_else(Problem::not_found)?.version)?;
                store::conversations::delete(tx, id).await?;
                told(tx, caller, "chat.conversation_deleted", id).await?;
                Ok(())
            })
            .await
    }
}

async fn told(tx: &Tx, caller: &Caller, action: &'static str, id: ConversationId) -> Result<(), Problem> {
    announce(tx, caller, action, ("conversation", id.to_string()), json!({ "id": id })).await
}
