//! Access tokens: ES256 JWTs as RFC 9068 describes them, issued and accepted by one tenant each.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use kernel::{AccountId, Problem, SessionId};
use serde::{Deserialize, Serialize};
use tenancy::TenantRef;

use crate::Identity;
use crate::error::Error;
use crate::principal::Proof;
use crate::signing_keys::Ring;

/// RFC 9068, 2.1: so that no other kind of JWT passes for one.
const TYPE: &str = "at+jwt";
/// RFC 9068 asks for a client; ours are all the same to the issuer.
const CLIENT: &str = "holdfast";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: AccountId,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    sid: SessionId,
}

/// An access token and when it ends.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl Identity {
    /// A new access token of a session that lasts until `limit` at most.
    pub(crate) fn issue_access_token(
        &self,
        ring: &Ring,
        tenant: &TenantRef,
        account: AccountId,
        session: SessionId,
        limit: DateTime<Utc>,
    ) -> Result<AccessToken, Problem> {
        let now = self.0.db.clock().now();
        let lifetime = TimeDelta::from_std(self.0.config.access_token_lifetime).map_err(Problem::internal)?;
        let expires_at = DateTime::from_timestamp((now + lifetime).min(limit).timestamp(), 0);
        let expires_at = expires_at.ok_or_else(|| Problem::internal("a lifetime beyond all time"))?;
        let claims = Claims {
            iss: tenant.issuer.to_string(),
            sub: account,
            aud: tenant.issuer.to_string(),
            exp: expires_at.timestamp(),
            iat: now.timestamp(),
            jti: self.0.db.random().uuid().simple().to_string(),
            client_id: CLIENT.to_owned(),
            sid: session,
        };
        let (kid, key) = ring.signer();
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let text = jsonwebtoken::encode(&header, &claims, key).map_err(Problem::internal)?;
        Ok(AccessToken { text, expires_at })
    }

    /// What an access token proves to this tenant: the session that it was issued for.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] whatever is wrong with it, or what the database says.
    pub(crate) async fn verify_access_token(&self, tenant: &TenantRef, token: &str) -> Result<Proof, Problem> {
        let invalid = || Problem::from(Error::TokenInvalid);
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let typed = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE));
        let kid = header.kid.filter(|_| typed && header.alg == Algorithm::ES256).ok_or_else(invalid)?;
        let ring = self.ring_with(tenant.id, &kid).await?.ok_or_else(invalid)?;
        let key = ring.verifier(&kid).ok_or_else(invalid)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[&tenant.issuer]);
        rules.set_audience(&[&tenant.issuer]);
        rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        // Time is asked of our clock, below.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|_| invalid())?.claims;
        let until = DateTime::from_timestamp(claims.exp, 0).ok_or_else(invalid)?;
        if self.0.db.clock().now() >= until {
            return Err(invalid());
        }
        Ok(Proof::Token { session: claims.sid, account: claims.sub, until })
    }
}
