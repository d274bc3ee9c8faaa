//! The kernel's time, chance and keys, as the certificates' crate asks for them.

use chrono::{DateTime, Utc};
use edge_certificates::{Clock, Random, SealError, Sealer};

/// The clock of this installation.
pub(crate) struct Wall(pub(crate) kernel::Clock);

impl Clock for Wall {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }
}

/// Its source of chance.
pub(crate) struct Chance(pub(crate) kernel::Random);

impl Random for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let fresh: [u8; 32] = self.0.bytes();
            chunk.copy_from_slice(&fresh[..chunk.len()]);
        }
    }
}

/// Seals under a key that is derived from the root key for certificates alone.
pub struct RootSealer {
    sealer: kernel::Sealer,
    random: kernel::Random,
}

impl RootSealer {
    /// The sealer of the installation with this root key.
    pub fn new(keys: &kernel::RootKey, random: kernel::Random) -> Self {
        Self { sealer: keys.sealer("edge certificates"), random }
    }
}

impl Sealer for RootSealer {
    fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.sealer.seal(&self.random, aad, plain)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer.open(aad, sealed).map(|plain| plain.to_vec()).map_err(|_| SealError)
    }
}
