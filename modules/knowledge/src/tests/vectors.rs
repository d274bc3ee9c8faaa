//! Vectors to test with: clustered as texts are, the same for the same seed.

use uuid::Uuid;

use super::id;
use crate::embed::ModelId;
use crate::permitted::Permitted;
use crate::vector_index::{VectorChange, VectorPassage};

pub(super) const DIMENSIONS: usize = 48;
const CLUSTERS: u64 = 40;
/// Passages of one document.
pub(super) const DOCUMENT: usize = 4;

pub(super) fn model() -> ModelId {
    ModelId::new("test")
}

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// About normal.
    fn normal(&mut self) -> f32 {
        (0..6).map(|_| f32::from(u16::try_from(self.next() >> 48).unwrap()) / 65536.0 - 0.5).sum()
    }
}

/// A direction near that of one of 40 clusters.
pub(super) fn vector(random: &mut Random) -> Vec<f32> {
    let mut middle = Random(0x9e37_79b9 + (random.next() % CLUSTERS + 1) * 0x1234_5677);
    let mut vector: Vec<f32> = (0..DIMENSIONS).map(|_| middle.normal() + 0.6 * random.normal()).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

pub(super) fn vectors(count: usize) -> Vec<Vec<f32>> {
    let mut random = Random(42);
    (0..count).map(|_| vector(&mut random)).collect()
}

/// Passage `n` in document `n / 4` in collection `n / 4 % 10`.
pub(super) fn changes(vectors: &[Vec<f32>]) -> Vec<VectorChange> {
    let documents = vectors.chunks(DOCUMENT).enumerate();
    documents.map(|(document, part)| put(document, document * DOCUMENT, part)).collect()
}

pub(super) fn put(document: usize, first: usize, vectors: &[Vec<f32>]) -> VectorChange {
    let passages = (first..).zip(vectors).map(|(n, vector)| VectorPassage { passage: id(n), vector: vector.clone() });
    VectorChange::Put { document: id(document), collection: id(document % 10), passages: passages.collect() }
}

/// The nearest by comparing all in full precision.
pub(super) fn exact(vectors: &[Vec<f32>], query: &[f32], permitted: &Permitted, limit: usize) -> Vec<Uuid> {
    let allowed = |n: usize| permitted.allows(id(n / DOCUMENT % 10), id(n / DOCUMENT));
    let mut all: Vec<(f32, Uuid)> = (0..vectors.len())
        .filter(|n| allowed(*n))
        .map(|n| (vectors[n].iter().zip(query).map(|(a, b)| a * b).sum(), id(n)))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().take(limit).map(|(_, id)| id).collect()
}
