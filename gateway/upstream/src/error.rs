//! Why a request could not be forwarded, in words that tell a client nothing about what is behind the edge.

use std::{error::Error, fmt, io, time::Duration};

/// Any error of a request's body.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// What ran out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A connection, name and TLS included.
    Connect,
    /// The head of the answer.
    ResponseHead,
    /// The next part of a body.
    Body,
    /// The whole request.
    Whole,
}

/// A request that was not forwarded, or an answer that broke off.
///
/// Its `Display` is meant for clients. What happened in detail is in the log and in [`crate::TargetStatus`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The name has no address.
    #[error("The service behind this address can't be found at the moment.")]
    Resolve,
    /// The [`crate::AddressPolicy`] forbids every address of the name.
    #[error("The service behind this address is at a place that may not be reached.")]
    Forbidden,
    #[error("The service behind this address can't be reached at the moment.")]
    Connect,
    #[error("The service behind this address could not prove who it is.")]
    Tls,
    #[error("The service behind this address took too long.")]
    Timeout(Phase),
    /// The connection broke before the answer's head was there.
    #[error("The service behind this address hung up.")]
    Reset,
    /// The answer is not HTTP as it should be.
    #[error("The service behind this address answered in a way that makes no sense.")]
    Answer,
    /// The answer's body broke off.
    #[error("The answer broke off.")]
    Incomplete,
    /// Every target has as much as its breaker lets it have.
    #[error("The service behind this address is busy; try again in a moment.")]
    Overloaded,
    /// Turned away by the pool's load shedding.
    #[error("There is too much to do at the moment; try again in a while.")]
    Shed {
        /// When to come back.
        retry_after: Duration,
    },
    /// The request has been through here too often.
    #[error("The request goes round in circles.")]
    Loop,
    /// A request that can't be passed on, such as `CONNECT`.
    #[error("A request of this kind is not passed on.")]
    NotForwardable,
    /// Reading the request's body failed: the client's or the caller's doing. The cause is the error's source.
    #[error("The request body could not be read.")]
    RequestBody(#[source] BoxError),
}

impl UpstreamError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Resolve => "edge.upstream_resolve",
            Self::Forbidden => "edge.upstream_forbidden",
            Self::Connect => "edge.upstream_connect",
            Self::Tls => "edge.upstream_tls",
            Self::Timeout(Phase::Connect) => "edge.upstream_connect_timeout",
            Self::Timeout(_) => "edge.upstream_timeout",
            Self::Reset => "edge.upstream_reset",
            Self::Answer => "edge.upstream_answer",
            Self::Incomplete => "edge.upstream_incomplete",
            Self::Overloaded => "edge.upstream_overloaded",
            Self::Shed { .. } => "edge.overloaded",
            Self::Loop => "edge.loop",
            Self::NotForwardable => "edge.not_forwardable",
            Self::RequestBody(_) => "edge.request_body",
        }
    }

    /// The status to answer with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Timeout(_) => 504,
            Self::Overloaded | Self::Shed { .. } => 503,
            Self::Loop => 508,
            Self::NotForwardable => 501,
            Self::RequestBody(_) => 400,
            Self::Resolve
            | Self::Forbidden
            | Self::Connect
            | Self::Tls
            | Self::Reset
            | Self::Answer
            | Self::Incomplete => 502,
        }
    }

    /// For `Retry-After`, where coming back helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Shed { retry_after } => Some(*retry_after),
            Self::Overloaded => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<UpstreamError> for io::Error {
    fn from(error: UpstreamError) -> Self {
        let kind = match error {
            UpstreamError::Timeout(_) => io::ErrorKind::TimedOut,
            UpstreamError::Incomplete => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// What went wrong with one attempt: for the client, and for the operator.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: UpstreamError,
    /// Names addresses and causes; never leaves for a client.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(error: UpstreamError, detail: impl fmt::Display) -> Self {
        Self { error, detail: detail.to_string() }
    }

    /// With the causes of the cause, which hyper and rustls keep for themselves.
    pub(crate) fn caused(error: UpstreamError, cause: &(dyn Error + 'static)) -> Self {
        let mut detail = cause.to_string();
        let mut next = cause.source();
        while let Some(cause) = next {
            detail.push_str(": ");
            detail.push_str(&cause.to_string());
            next = cause.source();
        }
        Self { error, detail }
    }
}

impl From<UpstreamError> for Fault {
    fn from(error: UpstreamError) -> Self {
        let detail = error.to_string();
        Self { error, detail }
    }
}
