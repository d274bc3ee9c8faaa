//! All that can go wrong in this module, each with its code and a sentence that helps.

use std::time::Duration;

use kernel::{Kind, Problem};

/// All that can go wrong in this module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Switched off.
    #[error("Chat is switched off here; an operator can switch it on with chat.enabled.")]
    Off,
    /// Nothing, or too much; the most bytes.
    #[error("A message has 1 to {0} bytes and more than white space.")]
    MessageInvalid(usize),
    /// Not a title.
    #[error("A title has at most 200 characters, none of them a control character.")]
    TitleInvalid,
    /// The parent is not in this conversation.
    #[error("There is no such message in this conversation; name the message that yours follows.")]
    ParentUnknown,
    /// The parent has no place for a question.
    #[error("A question follows an answer or stands at the beginning; name an answer as its parent.")]
    ParentInvalid,
    /// Two branches are asked for.
    #[error("Name leaf or through, not both.")]
    BranchInvalid,
    /// Too many collections.
    #[error("Name at most 100 collections.")]
    CollectionsInvalid,
    /// Too many answers at once.
    #[error("Too many answers are being written at once; wait for one to end, or stop it.")]
    TooManyAnswers,
    /// The answer's log is gone.
    #[error("The stream of this answer is no longer kept; read the message instead.")]
    StreamExpired,
    /// `Last-Event-ID` names another answer, or nothing.
    #[error("Last-Event-ID is the id of an event of this answer, such as ans_…:12; leave it out to begin anew.")]
    EventIdInvalid,
    /// No provider has the model.
    #[error("No provider here has the model {0:?}; list the models, or ask an administrator to add one.")]
    ModelUnknown(String),
    /// There is no such provider.
    #[error("There is no such provider, or it is switched off.")]
    ProviderUnknown,
    /// No provider is set up.
    #[error("No provider of models is set up, and no documents were searched; ask an administrator to add a provider.")]
    NoProvider,
    /// All providers failed; why the last one did.
    #[error("No provider answered ({0}); try again in a while.")]
    ProvidersFailed(String),
    /// The provider refused the request; what it said.
    #[error("The provider refused the request: {0}")]
    ProviderRefused(String),
    /// It broke off in the middle.
    #[error("The provider broke off in the middle of its answer; what came until then is kept.")]
    BrokeOff,
    /// The answer has taken all its time.
    #[error("The answer took too long; what came until then is kept.")]
    TookTooLong,
    /// The asker may no longer have it.
    #[error("You may no longer read what this answer is made from, or what you came by has ended.")]
    RightLost,
    /// The server ended in its middle.
    #[error("The server ended in the middle of this answer; what was kept of it stays, ask again for the rest.")]
    Interrupted,
    /// The name is taken.
    #[error("A provider is already called {0:?}; choose another name.")]
    ProviderNameTaken(String),
    /// A setting of a provider; the field and what fits.
    #[error("{0} takes {1}.")]
    ProviderInvalid(&'static str, &'static str),
    /// The address may not be called.
    #[error("base_url can't be used: {0}")]
    AddressRefused(String),
    /// Search is not to be had.
    #[error("Documents can't be searched here.")]
    NoRetriever,
    /// Embeddings are not to be had.
    #[error("Embeddings are not to be had here.")]
    NoEmbedder,
    /// The request over the OpenAI wire is malformed; the field and why.
    #[error("{0} does not fit: {1}")]
    WireInvalid(&'static str, String),
    /// What the kernel says.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let soon = Duration::from_secs(2);
        match error {
            Error::Off => Self::not_found(),
            Error::MessageInvalid(_) => Self::field("content", "chat.message_invalid", detail),
            Error::TitleInvalid => Self::field("title", "chat.title_invalid", detail),
            Error::ParentUnknown => Self::field("parent", "chat.parent_unknown", detail),
            Error::ParentInvalid => Self::field("parent", "chat.parent_invalid", detail),
            Error::BranchInvalid => Self::field("through", "chat.branch_invalid", detail),
            Error::CollectionsInvalid => Self::field("collections", "chat.collections_invalid", detail),
            Error::TooManyAnswers => Self::new(Kind::RateLimited, "chat.too_many_answers", detail).after(soon),
            Error::StreamExpired => Self::new(Kind::Conflict, "chat.stream_expired", detail),
            Error::EventIdInvalid => Self::field("Last-Event-ID", "chat.event_id_invalid", detail),
            Error::ModelUnknown(_) => Self::field("model", "chat.model_unknown", detail),
            Error::ProviderUnknown => Self::field("provider", "chat.provider_unknown", detail),
            Error::NoProvider => Self::new(Kind::Unavailable, "chat.no_provider", detail),
            Error::ProvidersFailed(_) => Self::unavailable("chat.providers_failed", detail, soon),
            Error::ProviderRefused(_) => Self::new(Kind::Invalid, "chat.provider_refused", detail),
            Error::BrokeOff => Self::unavailable("chat.provider_broke_off", detail, soon),
            Error::RightLost => Self::new(Kind::Forbidden, "chat.right_lost", detail),
            Error::Interrupted => Self::unavailable("chat.interrupted", detail, soon),
            Error::TookTooLong => Self::new(Kind::Timeout, "chat.took_too_long", detail),
            Error::ProviderNameTaken(_) => Self::new(Kind::Conflict, "chat.provider_name_taken", detail),
            Error::ProviderInvalid(field, _) => Self::field(field, "chat.provider_invalid", detail),
            Error::AddressRefused(_) => Self::field("base_url", "chat.address_refused", detail),
            Error::NoRetriever => Self::new(Kind::Unavailable, "chat.no_retriever", detail),
            Error::NoEmbedder => Self::new(Kind::Unavailable, "chat.no_embedder", detail),
            Error::WireInvalid(field, _) => Self::field(field, "chat.request_invalid", detail),
            Error::Kernel(problem) => problem,
        }
    }
}
