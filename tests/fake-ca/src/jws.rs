//! Signed requests (RFC 8555, section 6.2): read and really verified.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::ca::Problem;

#[derive(Deserialize)]
struct Envelope {
    protected: String,
    payload: String,
    signature: String,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    alg: String,
    nonce: Option<String>,
    url: String,
    jwk: Option<Jwk>,
    kid: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

impl Jwk {
    /// RFC 7638.
    pub(crate) fn thumbprint(&self) -> String {
        let Self { kty, crv, x, y } = self;
        let text = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#);
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Problem> {
        let point = [vec![4], decode(&self.x)?, decode(&self.y)?].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(message, signature).map_err(|_| malformed("the signature is wrong"))
    }
}

/// A request whose signature is right.
pub(crate) struct Signed {
    pub(crate) payload: Vec<u8>,
    pub(crate) nonce: String,
    pub(crate) jwk: Jwk,
    /// It named an account rather than its key.
    pub(crate) kid: Option<String>,
}

impl Signed {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.payload).map_err(|error| malformed(&error.to_string()))
    }
}

/// Reads a request to `url`; `key_of` finds the key of an account.
pub(crate) fn verify(body: &[u8], url: &str, key_of: impl Fn(&str) -> Option<Jwk>) -> Result<Signed, Problem> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))?;
    let header: Header =
        serde_json::from_slice(&decode(&envelope.protected)?).map_err(|error| malformed(&error.to_string()))?;
    if header.alg != "ES256" || header.url != url {
        return Err(malformed("the algorithm or the url in the header is wrong"));
    }
    let jwk = match (&header.jwk, &header.kid) {
        (Some(jwk), None) => jwk.clone(),
        (None, Some(kid)) => key_of(kid).ok_or_else(|| Problem::acme(400, "accountDoesNotExist", "no such account"))?,
        _ => return Err(malformed("exactly one of jwk and kid")),
    };
    let message = format!("{}.{}", envelope.protected, envelope.payload);
    jwk.verify(message.as_bytes(), &decode(&envelope.signature)?)?;
    let nonce = header.nonce.ok_or_else(|| Problem::acme(400, "badNonce", "no nonce"))?;
    Ok(Signed { payload: decode(&envelope.payload)?, nonce, jwk, kid: header.kid })
}

/// Checks an external account binding (RFC 8555, section 7.3.4): signed with the external key, over the account's.
pub(crate) fn verify_binding(
    binding: &Value,
    account: &Jwk,
    url: &str,
    external: &[(String, Vec<u8>)],
) -> Result<(), Problem> {
    let wrong = |words: &str| Problem::acme(403, "unauthorized", words);
    let envelope: Envelope = serde_json::from_value(binding.clone()).map_err(|error| malformed(&error.to_string()))?;
    let header: Header =
        serde_json::from_slice(&decode(&envelope.protected)?).map_err(|error| malformed(&error.to_string()))?;
    let kid = header.kid.unwrap_or_default();
    let (_, key) = external.iter().find(|(id, _)| *id == kid).ok_or_else(|| wrong("no such external account"))?;
    let message = format!("{}.{}", envelope.protected, envelope.payload);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signature = decode(&envelope.signature)?;
    hmac::verify(&key, message.as_bytes(), &signature).map_err(|_| wrong("the binding's signature is wrong"))?;
    let bound: Jwk = serde_json::from_slice(&decode(&envelope.payload)?).map_err(|_| wrong("no key is bound"))?;
    if header.alg != "HS256" || header.url != url || bound != *account {
        return Err(wrong("the binding is for another key or address"));
    }
    Ok(())
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed("base64url"))
}

pub(crate) fn malformed(detail: &str) -> Problem {
    Problem::acme(400, "malformed", detail)
}
