//! The GraphQL face.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object, SimpleObject, Subscription as GraphSubscription};
use futures_util::{Stream, StreamExt};
use kernel::graphql::{caller, list};
use kernel::{Expected, Problem};

use crate::Chat;
use crate::model::{
    Answer, AnswerId, Branch, Conversation, ConversationId, EventKind, MessageId, MessageList, NewConversation,
    NewMessage, NewProvider, Provider, ProviderId, ProviderTest, UpdateConversation, UpdateProvider,
};

/// What a page may cost.
fn page_cost(first: Option<i64>, child: usize) -> usize {
    usize::try_from(first.unwrap_or(50)).unwrap_or(0).saturating_mul(child)
}

/// Seeing conversations and providers.
pub struct Query(Chat);

impl Query {
    /// The face of this chat.
    pub const fn new(chat: Chat) -> Self {
        Self(chat)
    }
}

#[Object(name = "ChatQuery")]
impl Query {
    /// List your conversations
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Conversation>, Problem> {
        let (request, page) = self.0.list_conversations(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a conversation
    async fn conversation(&self, ctx: &Context<'_>, id: ConversationId) -> Result<Conversation, Problem> {
        Ok(self.0.get_conversation(caller(ctx)?, id).await?)
    }

    /// Read a branch of a conversation, by its end or by a message that it goes through; by default the newest
    #[graphql(complexity = "50 * child_complexity")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        id: ConversationId,
        leaf: Option<MessageId>,
        through: Option<MessageId>,
    ) -> Result<MessageList, Problem> {
        Ok(self.0.list_messages(caller(ctx)?, id, Branch { leaf, through }).await?)
    }

    /// Read an answer's state
    async fn answer(&self, ctx: &Context<'_>, id: AnswerId) -> Result<Answer, Problem> {
        Ok(self.0.get_answer(caller(ctx)?, id).await?)
    }

    /// List the providers of models
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn model_providers(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Provider>, Problem> {
        let (request, page) = self.0.list_providers(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a provider of models
    async fn model_provider(&self, ctx: &Context<'_>, id: ProviderId) -> Result<Provider, Problem> {
        Ok(self.0.get_provider(caller(ctx)?, id).await?)
    }
}

/// Asking, and changing conversations and providers.
pub struct Mutation(Chat);

impl Mutation {
    /// The face of this chat.
    pub const fn new(chat: Chat) -> Self {
        Self(chat)
    }
}

#[Object(name = "ChatMutation")]
impl Mutation {
    /// Begin a conversation
    async fn create_conversation(&self, ctx: &Context<'_>, new: NewConversation) -> Result<Conversation, Problem> {
        Ok(self.0.create_conversation(caller(ctx)?, new).await?)
    }

    /// Rename a conversation
    async fn update_conversation(
        &self,
        ctx: &Context<'_>,
        id: ConversationId,
        version: Option<i64>,
        update: UpdateConversation,
    ) -> Result<Conversation, Problem> {
        Ok(self.0.update_conversation(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a conversation
    async fn delete_conversation(
        &self,
        ctx: &Context<'_>,
        id: ConversationId,
        version: Option<i64>,
    ) -> Result<bool, Problem> {
        self.0.delete_conversation(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Ask a question; follow its answer by the subscription `answerEvents`
    async fn send_message(&self, ctx: &Context<'_>, id: ConversationId, new: NewMessage) -> Result<Answer, Problem> {
        Ok(self.0.send_message(caller(ctx)?, id, new).await?)
    }

    /// Stop an answer
    async fn stop_answer(&self, ctx: &Context<'_>, id: AnswerId) -> Result<Answer, Problem> {
        Ok(self.0.stop_answer(caller(ctx)?, id).await?)
    }

    /// Add a provider of models
    async fn create_model_provider(&self, ctx: &Context<'_>, new: NewProvider) -> Result<Provider, Problem> {
        Ok(self.0.create_provider(caller(ctx)?, new).await?)
    }

    /// Change a provider of models; needs the version
    async fn update_model_provider(
        &self,
        ctx: &Context<'_>,
        id: ProviderId,
        version: Option<i64>,
        update: UpdateProvider,
    ) -> Result<Provider, Problem> {
        Ok(self.0.update_provider(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Remove a provider of models; needs the version
    async fn delete_model_provider(
        &self,
        ctx: &Context<'_>,
        id: ProviderId,
        version: Option<i64>,
    ) -> Result<bool, Problem> {
        self.0.delete_provider(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Try a provider of models
    async fn test_model_provider(&self, ctx: &Context<'_>, id: ProviderId) -> Result<ProviderTest, Problem> {
        Ok(self.0.test_provider(caller(ctx)?, id).await?)
    }
}

/// One event of an answer's stream.
#[derive(Clone, Debug, SimpleObject)]
pub struct AnswerEvent {
    /// 1, 2, 3 … without a gap; pass the last one as `after` to resume.
    pub seq: i64,
    /// What it tells.
    pub kind: EventKind,
    /// Its data: a JSON object, as text.
    pub data: String,
}

/// Following answers.
pub struct Subscription(Chat);

impl Subscription {
    /// The face of this chat.
    pub const fn new(chat: Chat) -> Self {
        Self(chat)
    }
}

#[GraphSubscription(name = "ChatSubscription")]
impl Subscription {
    /// Follow an answer's stream, after the event with this number or from its beginning
    async fn answer_events(
        &self,
        ctx: &Context<'_>,
        id: AnswerId,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = AnswerEvent> + use<>, Problem> {
        let events = self.0.follow(caller(ctx)?, id, after.unwrap_or(0).max(0)).await?;
        Ok(events.map(|event| AnswerEvent { seq: event.seq, kind: event.kind, data: event.data.to_string() }))
    }
}
