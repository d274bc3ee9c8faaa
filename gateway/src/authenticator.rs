//! What the edge wants to know of whoever asks, and how it learns it. It knows no accounts: who serves it does.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use futures_util::{future::BoxFuture, stream::BoxStream};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::app::EdgeInfo;

/// Tells who asks, by the credential of a request. All methods are asked on the way of requests, so what was found out
/// once is to be answered from memory.
pub trait Authenticator: Send + Sync + 'static {
    /// Who a request comes from.
    fn identify<'a>(&'a self, method: &'a Method, headers: &'a HeaderMap, edge: &'a EdgeInfo)
    -> BoxFuture<'a, Verdict>;

    /// Follows somebody who was let in: gives them as they stand whenever that may have changed, and ends once they no
    /// longer stand.
    fn follow(&self, identity: &Identity) -> BoxStream<'static, Identity>;

    /// Signs what a service is told about who asks; `None` while that is not possible.
    fn vouch<'a>(&'a self, voucher: Voucher<'a>) -> BoxFuture<'a, Option<HeaderValue>>;

    /// Takes the browser's credential off a request that goes to another service. Other cookies stay.
    fn conceal(&self, headers: &mut HeaderMap);
}

/// What came of asking who it is.
#[derive(Clone, Debug)]
pub enum Verdict {
    Known(Identity),
    /// There is no credential, or a browser's that no longer holds.
    Anonymous,
    /// The credential does not hold, or not here.
    Refused(Denial),
    /// Nobody can tell at this moment.
    Unavailable,
}

/// Why somebody is refused, in the words of whoever refused them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub status: StatusCode,
    /// Stable, such as `identity.token_invalid`.
    pub code: String,
    /// A sentence that helps.
    pub detail: String,
}

/// Somebody who proved who they are.
#[derive(Clone)]
pub struct Identity {
    /// The account that acts, or for which a key acts.
    pub subject: Arc<str>,
    /// What kind of credential it was: `account` or `api_key`.
    pub kind: &'static str,
    /// The session or the key.
    pub credential: Option<Arc<str>>,
    pub tenant: Arc<str>,
    /// What they may do, sorted.
    pub scopes: Arc<[Box<str>]>,
    pub roles: Arc<[String]>,
    /// The authenticator's own.
    pub inside: Arc<dyn Any + Send + Sync>,
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Voucher<'a> {
    pub identity: &'a Identity,
    /// The service that it is for.
    pub audience: &'a str,
    /// The request for which it is signed first.
    pub request_id: &'a str,
    pub lifetime: Duration,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} {} of {})", self.kind, self.subject, self.tenant)
    }
}
