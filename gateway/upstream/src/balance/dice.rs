//! Chance for balancing and jitter: fast, shared by all tasks without a lock, the same for the same seed.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Field, hash::mix};

/// The step of a Weyl sequence (`SplitMix64`; Steele, Lea and Flood, 2014).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn roll(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::Relaxed))
    }

    /// 0 to `count - 1`; `count` must not be 0.
    pub(crate) fn below(&self, count: usize) -> usize {
        let scaled = u128::from(self.roll()) * count as u128;
        usize::try_from(scaled >> 64).unwrap_or_default()
    }

    /// 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept, which fit")]
    pub(crate) fn unit(&self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An eligible target other than `not`, each with the chance of its share.
    pub(super) fn draw(&self, field: &impl Field, not: Option<usize>) -> Option<usize> {
        let open = |index: usize| Some(index) != not && field.eligible(index);
        // Nearly always the first or second try hits.
        for _ in 0..6 {
            let index = self.below(field.len());
            if open(index) {
                let share = field.share(index);
                if share >= 1.0 || self.unit() < share {
                    return Some(index);
                }
            }
        }
        let candidates = || (0..field.len()).filter(|index| open(*index));
        let total: f64 = candidates().map(|index| field.share(index)).sum();
        let mut left = self.unit() * total;
        let mut last = None;
        for index in candidates() {
            last = Some(index);
            left -= field.share(index);
            if left <= 0.0 {
                break;
            }
        }
        last
    }
}
