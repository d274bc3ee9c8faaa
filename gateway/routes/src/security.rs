//! Headers that make browsers careful, and passwords by RFC 7617.

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::modifiers::{BasicAuth, SecurityHeaders};

impl SecurityHeaders {
    /// Adds what the answer lacks.
    pub fn apply(&self, headers: &mut HeaderMap, is_https: bool) {
        let subdomains = if self.hsts_subdomains { "; includeSubDomains" } else { "" };
        let hsts = if is_https && self.hsts_seconds > 0 {
            format!("max-age={}{subdomains}", self.hsts_seconds)
        } else {
            String::new()
        };
        let wanted = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::STRICT_TRANSPORT_SECURITY, &hsts),
            (header::X_FRAME_OPTIONS, &self.frame_options),
            (header::REFERRER_POLICY, &self.referrer_policy),
            (header::CONTENT_SECURITY_POLICY, &self.content_security_policy),
            (HeaderName::from_static("permissions-policy"), &self.permissions_policy),
        ];
        for (name, value) in wanted {
            if !value.is_empty()
                && !headers.contains_key(&name)
                && let Ok(value) = HeaderValue::from_str(value)
            {
                headers.insert(name, value);
            }
        }
    }
}

impl BasicAuth {
    /// The user whose password the request carries. It costs an Argon2 hash: call it where blocking is allowed, and
    /// keep the outcome for a while. An unknown name costs the same, so that time tells nothing.
    pub fn verify(&self, request: &HeaderMap) -> Option<&str> {
        let value = request.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 1024 {
            return None;
        }
        let pair = STANDARD.decode(encoded.trim()).ok()?;
        let at = pair.iter().position(|b| *b == b':')?;
        let (name, password) = (&pair[..at], &pair[at + 1..]);
        let named = self.users.iter().find(|user| user.name.as_bytes() == name);
        let hash = named.or(self.users.first())?;
        let hash = PasswordHash::new(&hash.hash).ok()?;
        let holds = Argon2::default().verify_password(password, &hash).is_ok();
        named.filter(|_| holds).map(|user| user.name.as_str())
    }

    /// `WWW-Authenticate` for a 401.
    pub fn challenge(&self) -> HeaderValue {
        let text = format!("Basic realm=\"{}\", charset=\"UTF-8\"", self.realm);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Basic"))
    }
}
