//! All that can go wrong in this module.

use std::time::Duration;

use kernel::{Kind, Problem};

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token, key or cookie does not hold (any more).
    #[error("This access token, API key or session is not valid (any more); sign in again.")]
    TokenInvalid,
    /// The same for every reason why a sign-in fails.
    #[error("The address or the password is wrong.")]
    CredentialsWrong,
    /// Too many failed attempts.
    #[error("Too many failed attempts; try again in {} s.", .0.as_secs_f64().ceil())]
    TooManyAttempts(Duration),
    /// The hash pool is full.
    #[error("Too many people are signing in at the moment; try again in a few seconds.")]
    Busy,
    /// A refresh token that is unknown, expired or of an ended session.
    #[error("This refresh token is not valid (any more); sign in again.")]
    RefreshInvalid,
    /// A refresh token that was used before.
    #[error("This refresh token was used before, so its session was ended; sign in again.")]
    RefreshReused,
    /// A browser sent the cookie from another site's page.
    #[error("This request comes from another site's page. Send it from this host, or use a bearer token.")]
    Csrf,
    /// The first operator exists.
    #[error("The first operator exists already; sign in instead.")]
    SetupDone,
    /// The setup link is of another start of the server, or mistyped.
    #[error("The setup token is wrong; open the link that the server printed at its last start.")]
    SetupTokenWrong,
    /// The address is none.
    #[error("Write an address such as name@example.com, with at most 254 characters.")]
    EmailInvalid,
    /// The name is empty or too long.
    #[error("A name has 1 to 100 characters and no line breaks.")]
    NameInvalid(&'static str),
    /// Shorter than allowed.
    #[error("A password has at least {0} characters; a few words in a row are easy to remember.")]
    PasswordTooShort(&'static str, usize),
    /// Longer than allowed.
    #[error("A password has at most {0} characters.")]
    PasswordTooLong(&'static str, usize),
    /// Known to guessers, or made of what they try first.
    #[error("This password is easily guessed ({1}); choose other words.")]
    PasswordBlocked(&'static str, &'static str),
    /// The current password does not fit.
    #[error("The current password is wrong.")]
    PasswordWrong,
    /// Only a signed-in person can do it, not an API key.
    #[error("An API key can't do this; sign in as a person.")]
    PersonRequired,
    /// There is an account with this address.
    #[error("There is an account with this address already; sign in with it.")]
    AccountExists,
    /// Somebody wants to disable the own account.
    #[error("You can't disable your own account; ask another administrator.")]
    SelfDisable,
    /// The account may do more than who wants to disable it.
    #[error("This account may do more than you, so only somebody who may as much can disable it.")]
    Outranked,
    /// The tenant would be left without an owner who can sign in.
    #[error("This is the last owner who can sign in; make somebody else an owner first.")]
    LastOwner,
    /// Not in the catalogue of permissions.
    #[error("{0:?} is no permission; GET /api/v1/tenancy/permissions lists them.")]
    ScopeUnknown(String),
    /// More than the maker may do.
    #[error("You don't hold {0}, so a key of yours can't have it.")]
    ScopeNotHeld(String),
    /// A limited key wants to make an unlimited one.
    #[error("This key is limited, so name the scopes of the new one.")]
    ScopesRequired,
    /// Expiry in the past, or after that of the key that makes it.
    #[error("{0}")]
    ExpiryInvalid(&'static str),
    /// More keys than one account may have.
    #[error("An account has at most {0} API keys; delete one first.")]
    TooManyKeys(usize),
    /// The caller is not signed in by a session.
    #[error("You are not signed in with a session, so there is none to end.")]
    NoSession,
    /// What tenancy says, about an invitation for example.
    #[error("{0}")]
    Tenancy(tenancy::Error),
    /// What the floor below says.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<tenancy::Error> for Error {
    fn from(error: tenancy::Error) -> Self {
        Self::Tenancy(error)
    }
}

/// How long a client is asked to wait for the hash pool.
const BUSY: Duration = Duration::from_secs(2);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::TokenInvalid => Self::new(Kind::Unauthenticated, "identity.token_invalid", detail),
            Error::CredentialsWrong => Self::new(Kind::Unauthenticated, "identity.credentials_wrong", detail),
            Error::TooManyAttempts(wait) => {
                Self::new(Kind::RateLimited, "identity.too_many_attempts", detail).after(wait)
            }
            Error::Busy => Self::unavailable("identity.busy", detail, BUSY),
            Error::RefreshInvalid => Self::new(Kind::Unauthenticated, "identity.refresh_invalid", detail),
            Error::RefreshReused => Self::new(Kind::Unauthenticated, "identity.refresh_reused", detail),
            Error::Csrf => Self::new(Kind::Forbidden, "identity.csrf", detail),
            Error::SetupDone => Self::new(Kind::Conflict, "identity.setup_done", detail),
            Error::SetupTokenWrong => Self::new(Kind::Forbidden, "identity.setup_token_wrong", detail),
            Error::EmailInvalid => Self::field("email", "identity.email_invalid", detail),
            Error::NameInvalid(path) => Self::field(path, "identity.name_invalid", detail),
            Error::PasswordTooShort(path, _) => Self::field(path, "identity.password_too_short", detail),
            Error::PasswordTooLong(path, _) => Self::field(path, "identity.password_too_long", detail),
            Error::PasswordBlocked(path, _) => Self::field(path, "identity.password_blocked", detail),
            Error::PasswordWrong => Self::field("current_password", "identity.password_wrong", detail),
            Error::PersonRequired => Self::new(Kind::Forbidden, "identity.person_required", detail),
            Error::AccountExists => Self::new(Kind::Conflict, "identity.account_exists", detail),
            Error::SelfDisable => Self::new(Kind::Conflict, "identity.self_disable", detail),
            Error::Outranked => Self::new(Kind::Forbidden, "identity.outranked", detail),
            Error::LastOwner => Self::new(Kind::Conflict, "identity.last_owner", detail),
            Error::ScopeUnknown(_) => Self::field("scopes", "identity.scope_unknown", detail),
            Error::ScopeNotHeld(_) => Self::new(Kind::Forbidden, "identity.scope_not_held", detail),
            Error::ScopesRequired => Self::new(Kind::Forbidden, "identity.scopes_required", detail),
            Error::ExpiryInvalid(_) => Self::field("expires_at", "identity.expiry_invalid", detail),
            Error::TooManyKeys(_) => Self::new(Kind::Conflict, "identity.too_many_keys", detail),
            Error::NoSession => Self::new(Kind::Conflict, "identity.no_session", detail),
            Error::Tenancy(error) => error.into(),
            Error::Kernel(problem) => problem,
        }
    }
}
