//! How far a mean can be trusted.

/// A mean and the range in which 95 % of its bootstrap resamplings lie (percentile method, Efron 1979).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of the values.
    pub mean: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// Mean and interval of `values` out of `rounds` resamplings with replacement; the same for the same seed.
pub fn bootstrap(values: &[f64], rounds: usize, seed: u64) -> Interval {
    let mean = mean(values.iter().copied(), values.len());
    if values.is_empty() || rounds == 0 {
        return Interval { mean, low: mean, high: mean };
    }
    let mut random = SplitMix(seed);
    let mut means: Vec<f64> = (0..rounds)
        .map(|_| self::mean((0..values.len()).map(|_| values[random.below(values.len())]), values.len()))
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |per_mille: usize| means[(rounds * per_mille / 1000).min(rounds - 1)];
    Interval { mean, low: at(25), high: at(975) }
}

#[expect(clippy::cast_precision_loss, reason = "a number of queries, far below 2^52")]
fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): repeatable, not for secrets.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let scaled = (u128::from(mixed) * bound as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }
}
