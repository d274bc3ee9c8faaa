//! The words of this domain, as both faces and other modules see them.

mod answer;
mod conversation;
mod passage;
mod provider;

use kernel::{Id, IdKind};

pub(crate) use answer::NoEvidence;
pub use answer::{Answer, AnswerReason, AnswerState, ChatEvent, EventKind, Usage};
pub use conversation::{
    Branch, Conversation, Message, MessageList, MessageRole, NewConversation, NewMessage, UpdateConversation,
};
pub use passage::{Citation, Passage, Retrieved};
pub use provider::{NewProvider, Provider, ProviderKind, ProviderTest, UpdateProvider};

macro_rules! ids {
    ($($kind:ident $id:ident $prefix:literal $what:literal;)*) => {$(
        #[doc = concat!("Names ", $what, ": `", $prefix, "_…`.")]
        pub enum $kind {}
        impl IdKind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        #[doc = concat!("Names ", $what, ".")]
        pub type $id = Id<$kind>;
    )*};
}

ids! {
    ConversationKind ConversationId "cnv" "a conversation";
    MessageKind MessageId "msg" "a message";
    AnswerKind AnswerId "ans" "an answer";
    ModelProviderKind ProviderId "prv" "a provider of models";
    DocumentKind DocumentId "doc" "a document of the vault";
    VersionKind VersionId "ver" "a version of a document";
    CollectionKind CollectionId "col" "a collection of the vault";
}
