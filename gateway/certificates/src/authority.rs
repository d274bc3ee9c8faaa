//! What is asked of a certificate authority, and what it answers or refuses.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{bundle::Facts, cause::Cause, name::Name, settings::ChallengeKind, timeline::bounded};

/// One CA under one account. Each call stands alone: whoever takes an order over begins with its address.
#[async_trait]
pub trait Authority: Send + Sync + 'static {
    /// Places an order and answers its address.
    async fn order(&self, ask: AskFor<'_>) -> Result<OrderView, Refusal>;

    /// Looks at an order.
    async fn look(&self, order: &str) -> Result<OrderView, Refusal>;

    /// The authorizations of an order with their challenges and the answers that the CA expects.
    async fn authorizations(&self, order: &str) -> Result<Vec<Authorization>, Refusal>;

    /// Tells the CA that the challenges of this kind are set.
    async fn ready(&self, order: &str, kind: ChallengeKind) -> Result<(), Refusal>;

    /// Why the order's validation failed, if an authorization says so.
    async fn failed_validation(&self, order: &str) -> Result<Option<Refusal>, Refusal>;

    /// Asks for the certificate of a ready order.
    async fn finalize(&self, order: &str, csr_der: &[u8]) -> Result<OrderView, Refusal>;

    /// Fetches the chain of a valid order, in PEM, leaf first.
    async fn download(&self, order: &str) -> Result<String, Refusal>;

    /// Reads a chain as this CA writes it.
    ///
    /// # Errors
    /// [`RefusalKind::Unreadable`] if it is no chain.
    fn read(&self, chain_pem: &str) -> Result<Facts, Refusal>;

    /// When the CA suggests to renew a certificate (RFC 9773).
    async fn renewal_advice(&self, ari_id: &str) -> Result<RenewalAdvice, Refusal>;
}

/// An order to place.
#[derive(Clone, Copy, Debug)]
pub struct AskFor<'a> {
    pub name: &'a Name,
    /// The certificate that it replaces (RFC 9773, section 5).
    pub replaces: Option<&'a str>,
    /// The profile to ask for.
    pub profile: Option<&'a str>,
}

/// An order as the CA sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    pub url: String,
    pub status: OrderStatus,
    /// The CA's words about a failed order.
    pub error: Option<String>,
    /// How long the CA asks to wait before the next look.
    pub retry_after: Option<Duration>,
}

/// RFC 8555, section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
}

/// One name of an order with its challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The host, without `*.`.
    pub host: String,
    /// The CA is content already.
    pub valid: bool,
    pub challenges: Vec<Challenge>,
}

/// A challenge that may be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub kind: ChallengeKind,
    pub token: String,
    /// The token and the thumbprint of the account's key (RFC 8555, section 8.1).
    pub key_authorization: String,
}

/// The CA's advice on renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalAdvice {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// How long until it may be asked again.
    pub ask_after: Option<Duration>,
}

/// A request that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {evidence}", .kind.cause().code())]
pub struct Refusal {
    pub kind: RefusalKind,
    /// What was seen, in at most 500 characters.
    pub evidence: String,
    /// How long the CA asks to wait.
    pub retry_after: Option<Duration>,
}

/// What kind of refusal it is: what to do next depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    RateLimited,
    Unavailable,
    Timeout,
    Unreadable,
    BadNonce,
    /// The account must be looked up or made again, or is refused for good.
    Account,
    /// The CA won't issue for this name.
    Name,
    Caa,
    Dns,
    Connection,
    WrongAnswer,
    /// Another failed validation.
    Validation,
    /// `replaces` is refused: 403, 409, or not supported.
    Replaces,
    /// The order is gone: 404, or in no state to do this.
    OrderGone,
    /// The CSR or the request is refused.
    Refused,
}

impl Refusal {
    /// A refusal with what was seen.
    pub fn new(kind: RefusalKind, evidence: impl AsRef<str>) -> Self {
        Self { kind, evidence: bounded(evidence.as_ref()), retry_after: None }
    }

    /// The same, with the wait that the CA asks for.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl RefusalKind {
    /// Worth trying the same step again.
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout | Self::Unreadable | Self::BadNonce)
    }

    /// The cause that it is named by.
    pub(crate) fn cause(self) -> Cause {
        match self {
            Self::RateLimited => Cause::CaRateLimited,
            Self::Unavailable => Cause::CaUnavailable,
            Self::Timeout => Cause::CaTimeout,
            Self::Unreadable => Cause::CaUnreadable,
            Self::BadNonce => Cause::CaNonces,
            Self::Account => Cause::AccountRefused,
            Self::Name => Cause::NameRefused,
            Self::Caa => Cause::CaaForbids,
            Self::Dns => Cause::DnsProblem,
            Self::Connection => Cause::ConnectionProblem,
            Self::WrongAnswer => Cause::WrongAnswer,
            Self::Validation => Cause::ValidationFailed,
            Self::Replaces | Self::OrderGone => Cause::OrderLost,
            Self::Refused => Cause::FinalizeRefused,
        }
    }
}
