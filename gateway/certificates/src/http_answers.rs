//! The answers to HTTP-01: what `GET /.well-known/acme-challenge/<token>` on port 80 gives, on any replica.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::store::CertificateStore;

/// Where a CA asks (RFC 8555, section 8.3).
const PATH: &str = "/.well-known/acme-challenge/";
/// The longest token that is looked for.
const LONGEST: usize = 128;

/// Looks tokens up in the store, a few at once and not for long.
pub struct HttpAnswers {
    store: Arc<dyn CertificateStore>,
    timeout: Duration,
    lookups: Semaphore,
}

impl HttpAnswers {
    /// Answers from `store`, at most `lookups` at once, each given up after `timeout`.
    pub fn new(store: Arc<dyn CertificateStore>, timeout: Duration, lookups: usize) -> Self {
        Self { store, timeout, lookups: Semaphore::new(lookups) }
    }

    /// Whether a path belongs to challenges: such a request is not redirected to HTTPS.
    pub fn is_challenge(path: &str) -> bool {
        path.starts_with(PATH)
    }

    /// The body for a path (`application/octet-stream`); none: let the request go its usual way. Anybody may ask, so
    /// what can't be a token asks nobody.
    pub async fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(PATH)?;
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(letter) {
            return None;
        }
        let _permit = self.lookups.try_acquire().ok()?;
        let found = tokio::time::timeout(self.timeout, self.store.http_answer(token)).await;
        found.ok()?.ok()?
    }
}
