//! How the CA looks whether a challenge is met.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use edge_certificates::{CertificateStore, ChallengeKind};

use crate::ca::Problem;

/// Looks whether a challenge is met.
#[async_trait]
pub trait Validator: Send + Sync + 'static {
    /// `Err` with the problem of the failed validation.
    async fn validate(
        &self,
        kind: ChallengeKind,
        host: &str,
        token: &str,
        key_authorization: &str,
    ) -> Result<(), Problem>;
}

/// Reads the answers in the store, as each replica would give them.
pub struct StoreValidator(pub Arc<dyn CertificateStore>);

#[async_trait]
impl Validator for StoreValidator {
    async fn validate(&self, kind: ChallengeKind, host: &str, token: &str, expected: &str) -> Result<(), Problem> {
        let found = match kind {
            ChallengeKind::Http01 => self.0.http_answer(token).await,
            ChallengeKind::TlsAlpn01 => self.0.tls_alpn_answer(host).await,
            ChallengeKind::Dns01 => Ok(None),
        };
        match found {
            Ok(Some(found)) if found == expected => Ok(()),
            other => Err(Problem::acme(403, "unauthorized", &format!("expected {expected}, found {other:?}"))),
        }
    }
}

/// All names are valid but those that moved away.
#[derive(Debug, Default)]
pub struct WorldValidator {
    gone: Mutex<HashSet<String>>,
}

impl WorldValidator {
    /// From now on this host fails.
    pub fn moves_away(&self, host: &str) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }
}

#[async_trait]
impl Validator for WorldValidator {
    async fn validate(&self, _: ChallengeKind, host: &str, _: &str, _: &str) -> Result<(), Problem> {
        if self.gone.lock().unwrap_or_else(PoisonError::into_inner).contains(host) {
            return Err(Problem::acme(400, "connection", "connection refused"));
        }
        Ok(())
    }
}
