//! What comes in from outside: time, chance and the key that seals.

use chrono::{DateTime, Utc};

/// The time of day. Tests own it.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// Unpredictable bytes. Tests own them.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Sealing failed: the key is another one, or the bytes or their place were changed.
#[derive(Debug, thiserror::Error)]
#[error("What was sealed can't be opened. It was sealed with another key, for another place, or was damaged.")]
pub struct SealError;

/// Authenticated encryption for what rests in the store and on disk: keys, certificates and ACME accounts.
pub trait Sealer: Send + Sync + 'static {
    /// Seals `plain` for the place that `aad` names; it opens at that place only.
    fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8>;

    /// Opens what [`Sealer::seal`] made with the same `aad`.
    ///
    /// # Errors
    /// [`SealError`] if it was sealed for another place or with another key, or was changed.
    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}
