//! The words of this domain, as both faces and other modules see them.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::rest::Etag;
use kernel::{AccountId, ApiKeyId, Id, IdKind, SessionId, TenantId};
use serde::{Deserialize, Serialize};

/// Names a signing key: `skey_…`.
pub enum SigningKeyKind {}
impl IdKind for SigningKeyKind {
    const PREFIX: &'static str = "skey";
}
/// Names a signing key; also its `kid`.
pub type SigningKeyId = Id<SigningKeyKind>;

/// Somebody who can sign in to one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Account {
    /// Names the account.
    pub id: AccountId,
    /// The address, as its owner wrote it.
    pub email: String,
    /// The name for people.
    pub display_name: String,
    /// Whether it can't be used.
    pub disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// How a client proves its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum Transport {
    /// By an access token in the `Authorization` field.
    Bearer,
    /// By the session cookie of a browser.
    Cookie,
}

impl Transport {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Cookie => "cookie",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Cookie].into_iter().find(|it| it.as_str() == name)
    }
}

/// A device on which somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Session {
    /// Names the session.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The account's address.
    pub account_email: String,
    /// The device in simple words.
    pub device: String,
    /// The client's name for itself at sign-in.
    pub user_agent: Option<String>,
    /// Where the sign-in came from.
    pub address: Option<String>,
    /// How the client proves it.
    pub transport: Transport,
    /// The tenant's own domain at which it began, and with which it ends; null for addresses of this installation.
    pub domain: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// Whether this request came by it.
    pub current: bool,
}

/// What a sign-in brings.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SignIn {
    /// The session.
    pub session: Session,
    /// Who signed in.
    pub account: Account,
    /// Always `Bearer`.
    pub token_type: String,
    /// For the `Authorization` field; null with a cookie.
    pub access_token: Option<String>,
    /// Brings the next access token, once; null with a cookie.
    pub refresh_token: Option<String>,
    /// When the access token, or the cookie, ends.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub refresh_expires_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignIn({})", self.session.id)
    }
}

/// What a sign-in brings, and the cookie if one was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// What the client is shown.
    pub sign_in: SignIn,
    pub(crate) cookie: Option<CookieValue>,
}

/// The value of a session cookie; not to be printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CookieValue(pub(crate) String);

impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieValue(…)")
    }
}

/// A key with which a program acts for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct ApiKey {
    /// Names the key.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// How the key begins after `hf_`, to tell keys apart.
    pub prefix: String,
    /// The permissions that it is limited to; null is whatever its maker may at the time.
    pub scopes: Option<Vec<String>>,
    /// For whom it acts.
    pub account_id: AccountId,
    /// The tenant's own domain at which it was made, and with which it ends; null for addresses of this installation.
    pub domain: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// A key that was just made, with its secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct CreatedApiKey {
    /// The key.
    pub api_key: ApiKey,
    /// The key itself, for the `Authorization` field; not shown again.
    pub secret: String,
}

impl fmt::Debug for CreatedApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreatedApiKey({})", self.api_key.id)
    }
}

/// What a signing key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum SigningKeyState {
    /// Published already, and signs after the next rotation.
    Next,
    /// Signs.
    Active,
    /// Signs no more; what it signed is still accepted.
    Retired,
}

impl SigningKeyState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retired].into_iter().find(|it| it.as_str() == name)
    }
}

/// A key that signs the tenant's access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SigningKey {
    /// Names the key; its `kid` in tokens and in the key set.
    pub id: SigningKeyId,
    /// `ES256`.
    pub algorithm: String,
    /// What it is used for.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it signs or signed.
    pub activated_at: Option<DateTime<Utc>>,
    /// When nothing that it signed is valid any more.
    pub retires_at: Option<DateTime<Utc>>,
}

/// Whether the first operator is still to be made.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject,
)]
pub struct Setup {
    /// True until there is one.
    pub needed: bool,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct MeActor {
    /// `account` or `api_key`.
    pub kind: String,
    /// The account's or key's id.
    pub id: Option<String>,
    /// Its name for people.
    pub name: String,
}

/// The tenant that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct MeTenant {
    /// Names the tenant.
    pub id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// Who you are to this tenant and what you may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Me {
    /// The account that acts, or for which the key acts.
    pub account: Option<Account>,
    /// Who acts.
    pub actor: MeActor,
    /// Where.
    pub tenant: MeTenant,
    /// The roles of the account, by name.
    pub roles: Vec<String>,
    /// What this request's credential may do.
    pub permissions: Vec<String>,
    /// The session by which the request came.
    pub session_id: Option<SessionId>,
    /// The key by which the request came.
    pub api_key_id: Option<ApiKeyId>,
}

/// How many sessions were ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject,
)]
pub struct Revoked {
    /// The number.
    pub revoked: i64,
}

/// A public key (RFC 7517, RFC 7518).
#[derive(Clone, Debug, PartialEq, Eq, poem_openapi::Object)]
pub struct Jwk {
    /// The kind of key.
    pub kty: String,
    /// What it is for.
    #[oai(rename = "use")]
    pub usage: String,
    /// The algorithm.
    pub alg: String,
    /// Its name in the header of tokens.
    pub kid: String,
    /// The curve.
    pub crv: String,
    /// The first coordinate.
    pub x: String,
    /// The second coordinate.
    pub y: String,
}

/// The keys whose signatures are valid (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, poem_openapi::Object)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// What clients need to know of the server (RFC 8414).
#[derive(Clone, Debug, PartialEq, Eq, poem_openapi::Object)]
pub struct ServerMetadata {
    /// The tenant as an issuer.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where tokens are renewed.
    pub token_endpoint: String,
    /// Ways to ask for authorization: none here.
    pub response_types_supported: Vec<String>,
    /// Ways to get a token.
    pub grant_types_supported: Vec<String>,
    /// How clients prove themselves at the token endpoint.
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

macro_rules! etags {
    ($($type:ty => $version:expr),+ $(,)?) => {
        $(impl Etag for $type {
            fn version(&self) -> Option<i64> {
                let version: fn(&$type) -> Option<i64> = $version;
                version(self)
            }
        })+
    };
}

etags! {
    Account => |it| Some(it.version),
    ApiKey => |it| Some(it.version),
    CreatedApiKey => |it| Some(it.api_key.version),
    Session => |_| None,
    SignIn => |_| None,
    SigningKey => |_| None,
    Setup => |_| None,
    Me => |_| None,
    Revoked => |_| None,
    Jwks => |_| None,
    ServerMetadata => |_| None,
}
