//! What the edge tells other services about who asks: a short-lived JWT, signed by the installation.
//!
//! It is signed by the operators' tenant, whoever's tenant the caller is in, so that a service trusts one issuer and one
//! key set. Its type keeps it from passing for an access token, here and elsewhere.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header};
use kernel::{AccountId, ApiKeyId, Problem, SYSTEM_TENANT, SessionId, TenantId};
use serde::Serialize;

use crate::Identity;

/// The type of these tokens (RFC 8725, 3.11).
const TYPE: &str = "holdfast-identity+jwt";

/// Who asks a service, as the edge has verified it.
#[derive(Clone, Debug, Serialize)]
pub struct Voucher {
    /// The account that acts, or for which a key acts.
    pub sub: AccountId,
    /// `account` or `api_key`.
    pub kind: &'static str,
    /// The tenant that is asked, in which all of this holds.
    pub tenant: TenantId,
    /// The permissions, as RFC 6749, 3.3 writes them: with spaces between.
    pub scope: String,
    /// The names of the roles.
    pub roles: Arc<[String]>,
    /// The session, of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The key, of an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<ApiKeyId>,
    /// The service that it is for, and nobody else.
    pub aud: Arc<str>,
    /// The request for which it was signed.
    pub request_id: Arc<str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    voucher: &'a Voucher,
}

impl Identity {
    /// Signs a voucher that holds this long: a compact JWS (ES256). The keys stand at `/.well-known/jwks.json` of the
    /// operators' tenant.
    ///
    /// # Errors
    /// What the database says, while the keys are not in memory.
    pub async fn vouch(&self, voucher: &Voucher, lifetime: Duration) -> Result<String, Problem> {
        let system = self.0.tenancy.resolve_name(&SYSTEM_TENANT.to_string()).await?;
        let issuer = system.ok_or_else(Problem::not_found)?.issuer;
        let ring = self.ring(SYSTEM_TENANT).await?;
        let now = self.0.db.clock().now();
        let end = now + TimeDelta::from_std(lifetime).map_err(Problem::internal)?;
        let (kid, key) = ring.signer();
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let claims = Claims { iss: &issuer, iat: now.timestamp(), exp: end.timestamp(), voucher };
        jsonwebtoken::encode(&header, &claims, key).map_err(Problem::internal)
    }
}
