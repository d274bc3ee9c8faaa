//! The rung that needs no index of its own: the database says which documents have the words, and their passages are
//! ranked here by BM25 (Robertson and Zaragoza 2009), alike on both engines.

use std::collections::HashMap;

use kernel::Caller;
use uuid::Uuid;

use super::scope::Scope;
use crate::analysis;
use crate::blocking::blocking;
use crate::error::Error;
use crate::knowledge::Knowledge;
use crate::store::passages::Stored;
use crate::store::{passages, terms};

/// Documents whose passages are ranked, and passages of all of them together.
const DOCUMENTS: i64 = 60;
const PASSAGES: i64 = 4000;
/// Passages in the answer.
const ANSWER: usize = 300;
/// How soon more of the same term counts no more, and how much a long passage is held against it.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Ranks the passages that have these terms, those with all of them before those with some.
pub(super) async fn rank(
    knowledge: &Knowledge,
    caller: &Caller,
    wanted: &[String],
    scope: &Scope,
) -> Result<Vec<(Uuid, f32)>, Error> {
    let within = scope.within();
    let read = knowledge.db().read(caller, async |tx| {
        let (found, all) = terms::frequencies(tx, wanted).await?;
        let weights: HashMap<String, f32> = found.into_iter().map(|(term, count)| (term, rarity(count, all))).collect();
        let mut weighed: Vec<(String, i64)> =
            weights.iter().map(|(term, rarity)| (term.clone(), worth(*rarity))).collect();
        weighed.sort_unstable();
        let documents = terms::candidates(tx, &weighed, &within, DOCUMENTS).await?;
        let rows = passages::of_documents(tx, &documents, PASSAGES).await?;
        Ok::<_, kernel::Problem>((weights, rows))
    });
    let (weights, rows) = read.await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(blocking(move || score(&weights, &rows)).await?)
}

/// The inverse document frequency.
#[expect(clippy::cast_precision_loss, reason = "counts of documents, as a weight")]
fn rarity(count: i64, all: i64) -> f32 {
    let (count, all) = (count as f32, all.max(count) as f32);
    (1.0 + (all - count + 0.5) / (count + 0.5)).ln()
}

/// The same as a whole number, which both engines add up alike.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm of a count, in thousandths")]
fn worth(rarity: f32) -> i64 {
    (rarity * 1000.0) as i64 + 1
}

#[expect(clippy::cast_precision_loss, reason = "lengths of passages")]
fn score(weights: &HashMap<String, f32>, rows: &[Stored]) -> Vec<(Uuid, f32)> {
    let counted: Vec<(Uuid, usize, HashMap<&str, usize>)> = rows.iter().map(|row| count(weights, row)).collect();
    let average = counted.iter().map(|(_, length, _)| *length).sum::<usize>() as f32 / counted.len().max(1) as f32;
    let mut scored: Vec<(Uuid, f32)> = counted
        .into_iter()
        .filter(|(_, _, terms)| !terms.is_empty())
        .map(|(id, length, terms)| {
            let long = K1 * (1.0 - B + B * length as f32 / average.max(1.0));
            // In the order of the terms, so that equal passages get equal sums.
            let mut parts: Vec<(&str, f32)> = terms
                .into_iter()
                .map(|(term, count)| (term, weights[term] * count as f32 * (K1 + 1.0) / (count as f32 + long)))
                .collect();
            parts.sort_unstable_by_key(|(term, _)| *term);
            (id, parts.into_iter().map(|(_, part)| part).sum())
        })
        .collect();
    scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(ANSWER);
    scored
}

/// How many terms a passage has, and how often each wanted one.
fn count<'a>(weights: &'a HashMap<String, f32>, row: &Stored) -> (Uuid, usize, HashMap<&'a str, usize>) {
    let mut length = 0;
    let mut counts = HashMap::new();
    for term in analysis::terms(&row.body) {
        length += 1;
        if let Some((known, _)) = weights.get_key_value(term.text.as_str()) {
            *counts.entry(known.as_str()).or_insert(0) += 1;
        }
    }
    (row.id.uuid(), length, counts)
}
