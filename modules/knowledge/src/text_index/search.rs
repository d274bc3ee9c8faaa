//! The best passages for some terms, among those that are permitted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, EnableScoring, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Searcher, SegmentReader, Term};
use uuid::Uuid;

use super::TextIndex;
use super::error::TextIndexError;
use super::schema::Ids;
use crate::permitted::{Permitted, Places};

/// What a term in a heading counts beside one in the text. See `docs/quality.md`.
const HEADING: Score = 0.6;
/// With fewer than one passage of so many permitted, those are walked, and not those that have the terms.
const FEW: u64 = 32;

impl TextIndex {
    /// The passages that have the most of these terms by BM25, best first; equal scores by id. Terms are those of
    /// [`crate::analysis::query_terms`]; an empty list finds nothing. `limit` permitted matches come whenever so many
    /// exist.
    ///
    /// # Errors
    /// [`TextIndexError`]
    pub fn search(
        &self,
        terms: &[String],
        permitted: &Permitted,
        limit: usize,
    ) -> Result<Vec<(Uuid, f32)>, TextIndexError> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let searcher = self.reader.searcher();
        let query = self.query(&searcher, terms, permitted)?;
        let weight = query.weight(EnableScoring::enabled_from_searcher(&searcher))?;
        let mut best = Best::new(limit);
        for segment in searcher.segment_readers() {
            let gate = Gate::open(segment, permitted)?;
            weight.for_each_pruning(best.threshold(), segment, &mut |row, score| {
                if gate.lets(row) {
                    best.offer(score, || gate.passages.get(row));
                }
                best.threshold()
            })?;
        }
        Ok(best.into_sorted())
    }

    fn query(
        &self,
        searcher: &Searcher,
        terms: &[String],
        permitted: &Permitted,
    ) -> Result<Box<dyn Query>, TextIndexError> {
        let mut any: Vec<Box<dyn Query>> = Vec::with_capacity(terms.len() * 2);
        for term in terms {
            any.push(term_query(self.fields.terms, term));
            any.push(Box::new(BoostQuery::new(term_query(self.fields.heading, term), HEADING)));
        }
        let text: Box<dyn Query> = Box::new(BooleanQuery::union(any));
        let Some(places) = permitted.bound() else { return Ok(text) };
        let places = self.place_terms(places);
        if !few(searcher, &places)? {
            return Ok(text);
        }
        let within = BoostQuery::new(Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(places)), 0.0)), 0.0);
        Ok(Box::new(BooleanQuery::new(vec![(Occur::Must, text), (Occur::Must, Box::new(within))])))
    }

    fn place_terms(&self, places: &Places) -> Vec<Term> {
        let collections = places.collections.iter().map(|id| self.fields.collection_term(*id));
        collections.chain(places.documents.iter().map(|id| self.fields.document_term(*id))).collect()
    }
}

fn term_query(field: Field, term: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, term), IndexRecordOption::WithFreqs))
}

/// Whether so few passages lie in these places that they are the better way in.
fn few(searcher: &Searcher, places: &[Term]) -> Result<bool, TextIndexError> {
    let most = searcher.num_docs() / FEW;
    if places.len() as u64 > most {
        return Ok(false);
    }
    let mut count = 0;
    for place in places {
        count += searcher.doc_freq(place)?;
        if count > most {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which rows of a segment may be returned.
struct Gate<'a> {
    segment: &'a SegmentReader,
    passages: Ids,
    places: Option<(Ids, Ids, &'a Permitted)>,
}

impl<'a> Gate<'a> {
    fn open(segment: &'a SegmentReader, permitted: &'a Permitted) -> Result<Self, TextIndexError> {
        let places = if permitted.is_everything() {
            None
        } else {
            Some((Ids::collections(segment)?, Ids::documents(segment)?, permitted))
        };
        Ok(Self { segment, passages: Ids::passages(segment)?, places })
    }

    fn lets(&self, row: u32) -> bool {
        let alive = self.segment.alive_bitset().is_none_or(|alive| alive.is_alive(row));
        alive
            && self.places.as_ref().is_none_or(|(collections, documents, permitted)| {
                permitted.allows(collections.get(row), documents.get(row))
            })
    }
}

/// The best so far: a heap with the worst of them on top.
struct Best {
    limit: usize,
    heap: BinaryHeap<Reverse<Found>>,
}

/// Ordered by score; among equals the smaller id is the better.
#[derive(PartialEq)]
struct Found {
    score: Score,
    passage: Uuid,
}

impl Eq for Found {}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.passage.cmp(&self.passage))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::with_capacity(limit.min(1024) + 1) }
    }

    /// What a score has to exceed. A little below the worst, so that equals are still looked at.
    fn threshold(&self) -> Score {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() == self.limit => worst.score.next_down(),
            _ => Score::MIN,
        }
    }

    fn offer(&mut self, score: Score, passage: impl FnOnce() -> Uuid) {
        let full = self.heap.len() == self.limit;
        if full && self.heap.peek().is_some_and(|Reverse(worst)| score < worst.score) {
            return;
        }
        self.heap.push(Reverse(Found { score, passage: passage() }));
        if full {
            self.heap.pop();
        }
    }

    fn into_sorted(self) -> Vec<(Uuid, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(found)| (found.passage, found.score)).collect()
    }
}
