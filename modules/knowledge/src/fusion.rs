//! Two rankings of the same passages made one.

use std::collections::HashMap;
use std::hash::Hash;

/// How scores of different scales are brought together. What each is worth is in `docs/quality.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Each list's scores stretched to 0..1 between its worst and best, then weighed: the vector list by `vector`,
    /// the text list by the rest.
    MinMax {
        /// 0 (text alone) to 1 (vectors alone).
        vector: f32,
    },
    /// Each list's scores stretched to 0..1 between its mean minus and plus three standard deviations, then weighed
    /// alike (distribution-based score fusion).
    Distribution {
        /// 0 (text alone) to 1 (vectors alone).
        vector: f32,
    },
    /// The sum of 1 / (k + rank), ranks from 1 (reciprocal rank fusion, Cormack et al. 2009). Blind to scores.
    ReciprocalRank {
        /// Larger flattens the difference between the first ranks.
        k: f32,
    },
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Distribution { vector: 0.4 }
    }
}

/// What one ranker said about a passage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Place in that ranker's list, from 1.
    pub rank: usize,
    /// That ranker's own score.
    pub score: f32,
    /// What it added to the fused score.
    pub share: f32,
}

/// A passage in the fused ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fused<K> {
    /// The passage.
    pub key: K,
    /// The sum of the shares.
    pub score: f32,
    /// What the text ranking said, if it had the passage.
    pub text: Option<Part>,
    /// What the vector ranking said, if it had the passage.
    pub vector: Option<Part>,
}

/// Fuses two rankings, each best first and without twins. Best first; equal scores by key, so that it is repeatable.
pub fn fuse<K: Copy + Ord + Hash>(fusion: Fusion, text: &[(K, f32)], vector: &[(K, f32)]) -> Vec<Fused<K>> {
    let (text_weight, vector_weight) = weights(fusion);
    let mut fused: HashMap<K, Fused<K>> = HashMap::with_capacity(text.len() + vector.len());
    for (key, part) in shares(fusion, text, text_weight) {
        fused.insert(key, Fused { key, score: part.share, text: Some(part), vector: None });
    }
    for (key, part) in shares(fusion, vector, vector_weight) {
        let entry = fused.entry(key).or_insert(Fused { key, score: 0.0, text: None, vector: None });
        entry.score += part.share;
        entry.vector = Some(part);
    }
    let mut fused: Vec<Fused<K>> = fused.into_values().collect();
    fused.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
    fused
}

fn weights(fusion: Fusion) -> (f32, f32) {
    match fusion {
        Fusion::MinMax { vector } | Fusion::Distribution { vector } => (1.0 - vector, vector),
        Fusion::ReciprocalRank { .. } => (1.0, 1.0),
    }
}

fn shares<K: Copy>(fusion: Fusion, list: &[(K, f32)], weight: f32) -> impl Iterator<Item = (K, Part)> + '_ {
    let (low, high) = match fusion {
        Fusion::MinMax { .. } => bounds(list),
        Fusion::Distribution { .. } => spread(list),
        Fusion::ReciprocalRank { .. } => (0.0, 1.0),
    };
    list.iter().enumerate().map(move |(index, &(key, score))| {
        let rank = index + 1;
        let value = match fusion {
            Fusion::ReciprocalRank { k } => 1.0 / (k + as_f32(rank)),
            // All alike: each is as good as the best.
            _ if high - low <= f32::EPSILON => 1.0,
            _ => ((score - low) / (high - low)).clamp(0.0, 1.0),
        };
        (key, Part { rank, score, share: value * weight })
    })
}

fn bounds<K>(list: &[(K, f32)]) -> (f32, f32) {
    list.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), (_, score)| (low.min(*score), high.max(*score)))
}

fn spread<K>(list: &[(K, f32)]) -> (f32, f32) {
    let count = as_f32(list.len().max(1));
    let mean = list.iter().map(|(_, score)| score).sum::<f32>() / count;
    let variance = list.iter().map(|(_, score)| (score - mean).powi(2)).sum::<f32>() / count;
    let reach = 3.0 * variance.sqrt();
    (mean - reach, mean + reach)
}

#[expect(clippy::cast_precision_loss, reason = "ranks and lengths of result lists are far below 2^24")]
fn as_f32(count: usize) -> f32 {
    count as f32
}
