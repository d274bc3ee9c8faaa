//! How good a ranking is, against human judgements: the measures, and folders that hold the judgements.

mod beir;
mod interval;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

pub use beir::{BeirError, Judgements, Query, Source, Sources};
pub use interval::{Interval, bootstrap};

/// The measures of one query's ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen 2002), gain 2^grade - 1.
    pub ndcg_10: f64,
    /// The share of all relevant documents that stand in the first ten.
    pub recall_10: f64,
    /// The share of all relevant documents that stand in the first hundred.
    pub recall_100: f64,
    /// One by the rank of the first relevant document; 0 without one.
    pub reciprocal_rank: f64,
}

/// The measures over all queries: mean and 95 % bootstrap interval of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// How many queries have judgements.
    pub queries: usize,
    /// See [`Measures::ndcg_10`].
    pub ndcg_10: Interval,
    /// See [`Measures::recall_10`].
    pub recall_10: Interval,
    /// See [`Measures::recall_100`].
    pub recall_100: Interval,
    /// Mean reciprocal rank.
    pub mrr: Interval,
}

/// Measures one ranking, best first, against the grades of the relevant documents (grade 0 is irrelevant).
///
/// A document that comes again (another of its passages) counts once, at its first place.
pub fn measure<S: BuildHasher>(ranking: &[&str], grades: &HashMap<String, u32, S>) -> Measures {
    let mut seen = HashSet::new();
    let ranking: Vec<u32> = ranking
        .iter()
        .filter(|document| seen.insert(**document))
        .map(|document| grades.get(*document).copied().unwrap_or(0))
        .collect();
    let mut ideal: Vec<u32> = grades.values().copied().filter(|grade| *grade > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    if ideal.is_empty() {
        return Measures::default();
    }
    let relevant = as_f64(ideal.len());
    let found = |first: usize| as_f64(ranking.iter().take(first).filter(|grade| **grade > 0).count());
    let first = ranking.iter().position(|grade| *grade > 0);
    Measures {
        ndcg_10: gain(&ranking, 10) / gain(&ideal, 10),
        recall_10: found(10) / relevant,
        recall_100: found(100) / relevant,
        reciprocal_rank: first.map_or(0.0, |index| 1.0 / as_f64(index + 1)),
    }
}

/// The means over queries with 95 % intervals out of `rounds` resamplings (1,000 will do), the same for the same seed.
pub fn summarize(measures: &[Measures], rounds: usize, seed: u64) -> Quality {
    let of = |value: fn(&Measures) -> f64| {
        let values: Vec<f64> = measures.iter().map(value).collect();
        bootstrap(&values, rounds, seed)
    };
    Quality {
        queries: measures.len(),
        ndcg_10: of(|m| m.ndcg_10),
        recall_10: of(|m| m.recall_10),
        recall_100: of(|m| m.recall_100),
        mrr: of(|m| m.reciprocal_rank),
    }
}

fn gain(grades: &[u32], first: usize) -> f64 {
    grades
        .iter()
        .take(first)
        .enumerate()
        .map(|(i, grade)| (2f64.powf((*grade).into()) - 1.0) / as_f64(i + 2).log2())
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of results, far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
