//! Conversations and their messages.

use chrono::{DateTime, Utc};
use kernel::Patch;
use kernel::rest::Etag;
use serde::{Deserialize, Serialize};

use super::{AnswerId, Citation, CollectionId, ConversationId, MessageId, ProviderId};

/// A conversation. It belongs to one account, and nobody else reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Conversation {
    /// Names the conversation.
    pub id: ConversationId,
    /// A title for its owner; may be empty.
    pub title: String,
    /// How many messages it has, all branches together.
    pub messages: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change of the title; the entity tag.
    pub version: i64,
}

impl Etag for Conversation {
    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// What a conversation is made of.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewConversation {
    /// A title, at most 200 characters; without one it stays empty.
    #[oai(validator(max_length = 200))]
    pub title: Option<String>,
}

/// What can change of a conversation.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateConversation {
    /// Another title.
    #[graphql(default)]
    pub title: Patch<String>,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum MessageRole {
    /// A person, or a program that acts for one.
    User,
    /// A model, or Holdfast itself out of passages.
    Assistant,
}

impl MessageRole {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Assistant].into_iter().find(|role| role.as_str() == name)
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Message {
    /// Names the message.
    pub id: MessageId,
    /// Its place in the conversation: 1, 2, 3 … without a gap.
    pub position: i64,
    /// The message that it follows.
    pub parent: Option<MessageId>,
    /// All messages that follow the same one, in order: the branches here.
    pub siblings: Vec<MessageId>,
    /// Who wrote it.
    pub role: MessageRole,
    /// The text; empty when it is withheld.
    pub content: String,
    /// What the text cites.
    pub citations: Vec<Citation>,
    /// Whether the text is withheld because you may no longer read what it was made from.
    pub withheld: bool,
    /// The answer that made it, or that it asked for.
    pub answer: Option<AnswerId>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// Which branch of a conversation: by default the one that ends with the last message of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// The one that ends with this message.
    pub leaf: Option<MessageId>,
    /// The one that goes through this message and on to the newest that follows from it.
    pub through: Option<MessageId>,
}

/// One branch of a conversation, or its last part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct MessageList {
    /// The messages, the oldest first.
    pub items: Vec<Message>,
    /// Pass it as `leaf` to read what came before; null at the beginning.
    pub next: Option<MessageId>,
}

impl Etag for MessageList {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// The text.
    #[oai(validator(min_length = 1))]
    pub content: String,
    /// The message that it follows: an earlier one makes a branch. Without it, the last message.
    pub parent: Option<MessageId>,
    /// Whether it begins a new branch at the very beginning.
    #[oai(default)]
    #[graphql(default)]
    #[serde(default)]
    pub from_start: bool,
    /// The collections to search; empty for no search; without it, all that you may read.
    #[oai(validator(max_items = 100))]
    pub collections: Option<Vec<CollectionId>>,
    /// The provider to ask; without it, all in their order.
    pub provider: Option<ProviderId>,
    /// The model to ask; without it, each provider's first.
    #[oai(validator(max_length = 200))]
    pub model: Option<String>,
}
