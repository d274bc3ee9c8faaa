//! The one error that leaves a service: neutral to the transport, with a closed set of kinds.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What kind of thing went wrong; decides the HTTP status and whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is malformed or breaks a rule: 400.
    Invalid,
    /// No valid credential came with the request: 401.
    Unauthenticated,
    /// The caller may see it but not do this: 403.
    Forbidden,
    /// Missing or not readable by the caller; the two look alike: 404.
    NotFound,
    /// It clashes with what is there: 409.
    Conflict,
    /// The caller's version is not the current one: 412.
    Stale,
    /// A version must be named and was not: 428.
    PreconditionRequired,
    /// Larger than allowed: 413.
    TooLarge,
    /// The same idempotency key came with other content: 422.
    Mismatch,
    /// Too many requests: 429.
    RateLimited,
    /// Not possible now, later perhaps: 503.
    Unavailable,
    /// Not done within the deadline: 504.
    Timeout,
    /// Our fault: 500.
    Internal,
}

impl Kind {
    /// The HTTP status of this kind.
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Stale => 412,
            Self::TooLarge => 413,
            Self::Mismatch => 422,
            Self::PreconditionRequired => 428,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The short title that goes with the status.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid request",
            Self::Unauthenticated => "Not signed in",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::Conflict => "Conflict",
            Self::Stale => "Changed meanwhile",
            Self::TooLarge => "Too large",
            Self::Mismatch => "Key used with other content",
            Self::PreconditionRequired => "Version required",
            Self::RateLimited => "Too many requests",
            Self::Internal => "Internal error",
            Self::Unavailable => "Unavailable",
            Self::Timeout => "Timed out",
        }
    }

    /// Whether the same request may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout)
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where: a dotted path into the body, or the parameter's name.
    pub path: String,
    /// A stable code such as `identity.password_too_short`.
    pub code: Cow<'static, str>,
    /// A sentence that tells the user what to do.
    pub detail: String,
}

/// What a client is told when something fails.
///
/// It deliberately has no `Display`: async-graphql turns whatever is displayable into a bare message and the code
/// would be lost on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind, which decides the status.
    pub kind: Kind,
    /// A stable code, `module.what`.
    pub code: Cow<'static, str>,
    /// A sentence that tells the user what to do.
    pub detail: String,
    /// The fields at fault, if it is about fields.
    pub fields: Vec<FieldError>,
    /// When it makes sense to try again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with a code and a sentence.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { kind, code: code.into(), detail: detail.into(), fields: Vec::new(), retry_after: None }
    }

    /// A problem with one field of the request.
    pub fn field(path: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let field = FieldError { path: path.into(), code: code.into(), detail: detail.clone() };
        Self { fields: vec![field], ..Self::new(Kind::Invalid, code, detail) }
    }

    /// The 404 that tells nothing: the same for what is missing and for what the caller may not read.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "kernel.not_found", "There is nothing here, or you may not see it.")
    }

    /// The caller lacks a permission.
    pub fn forbidden(permission: &str) -> Self {
        Self::new(Kind::Forbidden, "kernel.forbidden", format!("This needs the permission {permission}."))
    }

    /// No credential came with the request, or none that is valid.
    pub fn unauthenticated() -> Self {
        Self::new(
            Kind::Unauthenticated,
            "kernel.unauthenticated",
            "Sign in, or send a valid access token or API key as a bearer token.",
        )
    }

    /// Our fault: logs the cause and hides it.
    pub fn internal(cause: impl fmt::Debug) -> Self {
        tracing::error!(?cause, "internal error");
        Self::new(Kind::Internal, "kernel.internal", "Something went wrong on our side; quote the request id.")
    }

    /// Not possible at the moment; try again after a while.
    pub fn unavailable(code: &'static str, detail: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Kind::Unavailable, code, detail) }
    }

    /// The request's deadline has passed.
    pub fn timeout() -> Self {
        Self::new(Kind::Timeout, "kernel.timeout", "The request did not finish in its time; try again.")
    }

    /// The same problem, retryable after this long.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.status(), self.code, self.detail)
    }
}
