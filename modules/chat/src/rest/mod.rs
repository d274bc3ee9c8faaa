//! The REST face.

mod stream;

use kernel::rest::{Auth, Body, Created, EventStream, Listed, NoContent, Reply};
use kernel::{Expected, FieldMask, ListParams, Problem};
use poem::Request;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::model::{
    Answer, AnswerId, Branch, Conversation, ConversationId, MessageId, MessageList, NewConversation, NewMessage,
    NewProvider, Provider, ProviderId, ProviderTest, UpdateConversation, UpdateProvider,
};
use crate::{Chat, listing};

pub use stream::Asked;

#[derive(Tags)]
enum Tag {
    /// Conversations, their answers, and the providers of models.
    Chat,
}

/// Chat over REST.
pub struct Api(Chat);

impl Api {
    /// The face of this chat.
    pub const fn new(chat: Chat) -> Self {
        Self(chat)
    }
}

/// What a client said about a list, in the order of the operations' parameters.
fn params(limit: Option<i64>, [cursor, filter, sort]: [Option<String>; 3]) -> ListParams {
    ListParams { limit, cursor, filter, sort }
}

fn expected(if_match: &Header<Option<String>>) -> Expected {
    Expected::from_header(if_match.0.as_deref())
}

fn wants_stream(request: &Request) -> bool {
    request.header("accept").is_some_and(|accept| accept.contains("text/event-stream"))
}

#[OpenApi(prefix_path = "/api/v1/chat", tag = "Tag::Chat")]
impl Api {
    /// List your conversations
    #[oai(path = "/conversations", method = "get", operation_id = "list_conversations")]
    async fn list_conversations(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `updated_at gt 2026-01-01T00:00:00Z`.
        filter: Query<Option<String>>,
        /// `-updated_at`, `created_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Conversation>, Problem> {
        let mask = FieldMask::parse(&listing::CONVERSATIONS, fields.0.as_deref())?;
        let (_, page) = self.0.list_conversations(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Begin a conversation
    #[oai(path = "/conversations", method = "post", operation_id = "create_conversation")]
    async fn create_conversation(
        &self,
        auth: Auth,
        new: Body<NewConversation>,
    ) -> Result<Created<Conversation>, Problem> {
        Ok(Created(self.0.create_conversation(&auth.0, new.0).await?))
    }

    /// Read a conversation
    #[oai(path = "/conversations/:id", method = "get", operation_id = "get_conversation")]
    async fn get_conversation(
        &self,
        auth: Auth,
        id: Path<ConversationId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Conversation>, Problem> {
        let mask = FieldMask::parse(&listing::CONVERSATIONS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_conversation(&auth.0, id.0).await?, mask))
    }

    /// Rename a conversation
    #[oai(path = "/conversations/:id", method = "patch", operation_id = "update_conversation")]
    async fn update_conversation(
        &self,
        auth: Auth,
        id: Path<ConversationId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateConversation>,
    ) -> Result<Reply<Conversation>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_conversation(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a conversation
    #[oai(path = "/conversations/:id", method = "delete", operation_id = "delete_conversation")]
    async fn delete_conversation(
        &self,
        auth: Auth,
        id: Path<ConversationId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_conversation(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// Read a branch of a conversation
    ///
    /// Its messages, the oldest first, at most the last 200: by default of the branch that ends with the last message
    /// of all.
    #[oai(path = "/conversations/:id/messages", method = "get", operation_id = "list_messages")]
    async fn list_messages(
        &self,
        auth: Auth,
        id: Path<ConversationId>,
        /// The last message of the branch.
        leaf: Query<Option<MessageId>>,
        /// A message of the branch, which goes on from it to the newest that follows.
        through: Query<Option<MessageId>>,
    ) -> Result<Reply<MessageList>, Problem> {
        let branch = Branch { leaf: leaf.0, through: through.0 };
        Ok(Reply::new(self.0.list_messages(&auth.0, id.0, branch).await?))
    }

    /// Ask a question
    ///
    /// With `Accept: text/event-stream` the answer's stream comes at once; otherwise 202 with the answer, whose stream
    /// is at `/api/v1/chat/answers/{id}/events`. Repeated with the same `Idempotency-Key`, the stream comes again.
    #[oai(path = "/conversations/:id/messages", method = "post", operation_id = "send_message")]
    async fn send_message(
        &self,
        auth: Auth,
        id: Path<ConversationId>,
        request: &Request,
        new: Body<NewMessage>,
    ) -> Result<Asked, Problem> {
        let answer = self.0.send_message(&auth.0, id.0, new.0).await?;
        if !wants_stream(request) {
            return Ok(Asked::Accepted(answer));
        }
        let events = self.0.follow(&auth.0, answer.id, 0).await?;
        Ok(Asked::Stream(stream::events(answer.id, events)))
    }

    /// Read an answer's state
    #[oai(path = "/answers/:id", method = "get", operation_id = "get_answer")]
    async fn get_answer(&self, auth: Auth, id: Path<AnswerId>) -> Result<Reply<Answer>, Problem> {
        Ok(Reply::new(self.0.get_answer(&auth.0, id.0).await?))
    }

    /// Follow an answer's stream
    ///
    /// Server-sent events: `passages`, `no_evidence`, `token`, `citations`, `usage`, and at the end one of `done`,
    /// `stopped`, `interrupted`, `revoked` and `error`. Resumes after `Last-Event-ID` without a gap or a twin.
    #[oai(path = "/answers/:id/events", method = "get", operation_id = "follow_answer")]
    async fn follow_answer(
        &self,
        auth: Auth,
        id: Path<AnswerId>,
        /// The id of the last event that you got, such as `ans_…:12`.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<EventStream, Problem> {
        let after = stream::last_event(id.0, last_event_id.0.as_deref())?;
        let events = self.0.follow(&auth.0, id.0, after).await?;
        Ok(stream::events(id.0, events))
    }

    /// Stop an answer
    ///
    /// What came until then is kept.
    #[oai(path = "/answers/:id/stop", method = "post", operation_id = "stop_answer")]
    async fn stop_answer(&self, auth: Auth, id: Path<AnswerId>) -> Result<Reply<Answer>, Problem> {
        Ok(Reply::new(self.0.stop_answer(&auth.0, id.0).await?))
    }

    /// List the providers of models
    #[oai(path = "/providers", method = "get", operation_id = "list_model_providers")]
    async fn list_model_providers(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `enabled eq true`.
        filter: Query<Option<String>>,
        /// `position`, `name`, `created_at`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Provider>, Problem> {
        let mask = FieldMask::parse(&listing::PROVIDERS, fields.0.as_deref())?;
        let (_, page) = self.0.list_providers(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Add a provider of models
    ///
    /// Its key is kept sealed and never shown.
    #[oai(path = "/providers", method = "post", operation_id = "create_model_provider")]
    async fn create_model_provider(&self, auth: Auth, new: Body<NewProvider>) -> Result<Created<Provider>, Problem> {
        Ok(Created(self.0.create_provider(&auth.0, new.0).await?))
    }

    /// Read a provider of models
    #[oai(path = "/providers/:id", method = "get", operation_id = "get_model_provider")]
    async fn get_model_provider(
        &self,
        auth: Auth,
        id: Path<ProviderId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Provider>, Problem> {
        let mask = FieldMask::parse(&listing::PROVIDERS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_provider(&auth.0, id.0).await?, mask))
    }

    /// Change a provider of models
    ///
    /// Needs `If-Match`. A new address without a new key takes the key away.
    #[oai(path = "/providers/:id", method = "patch", operation_id = "update_model_provider")]
    async fn update_model_provider(
        &self,
        auth: Auth,
        id: Path<ProviderId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateProvider>,
    ) -> Result<Reply<Provider>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_provider(&auth.0, id.0, expected, update.0).await?))
    }

    /// Remove a provider of models
    ///
    /// Needs `If-Match`.
    #[oai(path = "/providers/:id", method = "delete", operation_id = "delete_model_provider")]
    async fn delete_model_provider(
        &self,
        auth: Auth,
        id: Path<ProviderId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_provider(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// Try a provider of models
    ///
    /// Asks it for a few words.
    #[oai(path = "/providers/:id/test", method = "post", operation_id = "test_model_provider")]
    async fn test_model_provider(&self, auth: Auth, id: Path<ProviderId>) -> Result<Reply<ProviderTest>, Problem> {
        Ok(Reply::new(self.0.test_provider(&auth.0, id.0).await?))
    }
}
