//! Clocks, chance and a sealing key that tests own.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{Clock, Random, SealError, Sealer};
use tokio::time::Instant;

/// A moment to begin with: 2027-01-15.
const BEGIN: i64 = 1_800_000_000_000;

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(BEGIN))
    }
}

impl ManualClock {
    /// Sets the clock forward to `to`.
    pub fn set(&self, to: DateTime<Utc>) {
        self.0.fetch_max(to.timestamp_millis(), Ordering::Relaxed);
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// A clock that follows tokio's, paused or not.
#[derive(Debug)]
pub struct PausedClock {
    begin: DateTime<Utc>,
    start: Instant,
}

impl PausedClock {
    /// Now is `begin`.
    pub fn at(begin: DateTime<Utc>) -> Self {
        Self { begin, start: Instant::now() }
    }
}

impl Default for PausedClock {
    fn default() -> Self {
        Self::at(DateTime::from_timestamp_millis(BEGIN).unwrap_or_default())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> DateTime<Utc> {
        self.begin + TimeDelta::from_std(self.start.elapsed()).unwrap_or_default()
    }
}

/// `SplitMix64`: the same seed gives the same bytes.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

/// AES-256-GCM under a key of its own; the nonces count.
#[derive(Debug)]
pub struct TestSealer {
    key: LessSafeKey,
    sealed: AtomicU64,
}

impl TestSealer {
    /// Two sealers with the same byte open each other's.
    #[expect(clippy::expect_used, reason = "32 bytes are a key")]
    pub fn new(key: u8) -> Self {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[key; 32]).expect("32 bytes are a key"));
        Self { key, sealed: AtomicU64::new(0) }
    }
}

impl Sealer for TestSealer {
    #[expect(clippy::expect_used, reason = "a short text can be sealed")]
    fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.sealed.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let mut sealed = plain.to_vec();
        let nonce_bytes = nonce;
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .expect("a short text can be sealed");
        [nonce_bytes.as_slice(), &sealed].concat()
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut rest = rest.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(aad), &mut rest).map_err(|_| SealError)?;
        Ok(plain.to_vec())
    }
}
