//! Weighted rendezvous hashing with bounded loads.
//!
//! Each target scores for a key; the highest wins, and when it is gone only its keys move. A target that has more
//! than its share times the load factor lets the next one win.

use super::Field;

/// What a request is hashed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(mix(fnv(bytes)))
    }
}

/// A target's number, out of its place. Stable over processes and versions, so that replicas agree.
pub(crate) fn identity(place: &str) -> u64 {
    mix(fnv(place.as_bytes()) ^ 0xA5A5_A5A5_A5A5_A5A5)
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The finalizer of `SplitMix64`: each bit of the input turns over half of the output's.
pub(super) const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

pub(super) fn pick(field: &impl Field, key: Key, load_factor: f64) -> Option<usize> {
    let candidates = || (0..field.len()).filter(|index| field.eligible(*index));
    let shares: f64 = candidates().map(|index| field.share(index)).sum();
    let requests: f64 = 1.0 + candidates().map(|index| f64::from(field.in_flight(index))).sum::<f64>();
    let free = |index: &usize| {
        let bound = (load_factor * requests * field.share(*index) / shares).ceil();
        f64::from(field.in_flight(*index)) < bound
    };
    let scored = |index: usize| (index, score(key, field.identity(index), field.share(index)));
    let highest = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
    let winner = candidates().filter(free).map(scored).reduce(highest);
    winner.or_else(|| candidates().map(scored).reduce(highest)).map(|(index, _)| index)
}

/// Wins with a chance in proportion to the share (Schindelhauer and Schomaker, 2005).
#[expect(clippy::cast_precision_loss, reason = "53 bits are kept, which fit")]
fn score(key: Key, identity: u64, share: f64) -> f64 {
    let bits = mix(key.0 ^ identity);
    let unit = ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    -share / unit.ln()
}
