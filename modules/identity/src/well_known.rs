//! What other programs need to trust our tokens: the key set (RFC 7517) and the server's metadata (RFC 8414).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Caller;

use crate::Identity;
use crate::error::Error;
use crate::model::{Jwk, Jwks, ServerMetadata};
use crate::signing_keys::Published;

fn jwk(key: &Published) -> Jwk {
    // An uncompressed point: 0x04, then two coordinates of 32 bytes.
    let half = |from: usize| URL_SAFE_NO_PAD.encode(key.public.get(from..from + 32).unwrap_or_default());
    Jwk {
        kty: "EC".to_owned(),
        usage: "sig".to_owned(),
        alg: "ES256".to_owned(),
        kid: key.kid.clone(),
        crv: "P-256".to_owned(),
        x: half(1),
        y: half(33),
    }
}

impl Identity {
    /// The keys whose signatures the tenant accepts: those that sign, signed lately, or will sign next.
    ///
    /// # Errors
    /// The tenant is not in use, or what the database says.
    pub async fn jwks(&self, caller: &Caller) -> Result<Jwks, Error> {
        let tenant = self.tenant(caller).await?;
        let ring = self.ring(tenant.id).await?;
        Ok(Jwks { keys: ring.published().iter().map(jwk).collect() })
    }

    /// The tenant as an issuer of tokens.
    ///
    /// # Errors
    /// The tenant is not in use, or what the database says.
    pub async fn server_metadata(&self, caller: &Caller) -> Result<ServerMetadata, Error> {
        let issuer = self.tenant(caller).await?.issuer;
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Ok(ServerMetadata {
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            token_endpoint: format!("{issuer}/api/v1/identity/tokens/refresh"),
            issuer: issuer.to_string(),
            response_types_supported: Vec::new(),
            grant_types_supported: texts(&["refresh_token"]),
            token_endpoint_auth_methods_supported: texts(&["none"]),
        })
    }
}

/// How long others may keep what is published; less than a key is published before it signs.
pub(crate) const CACHE_CONTROL: &str = "public, max-age=300";
