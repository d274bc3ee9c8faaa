//! One question, the passages that answer it, and which rung of the ladder found them.
//!
//! The ladder, from the top: words and meaning fused; words alone; the database's own terms while the text index is
//! not at hand; terms spelled nearly alike; terms that begin alike. A lower rung answers when a higher one can't, or
//! finds nothing. Each rung looks only at what the caller may read, so that what is held back never takes the place
//! of what is not.

mod answer;
mod database;
mod indexes;
mod ladder;
mod near;
mod scope;

use std::collections::HashSet;

use kernel::Caller;
use uuid::Uuid;

use crate::error::Error;
use crate::fusion::Fused;
use crate::knowledge::Knowledge;
use crate::model::{Found, Mode, Rung, Search};
use crate::permissions::READ;
use crate::store::documents;
use indexes::Standing;

/// The most characters of a query.
const MAX_QUERY: usize = 2000;
/// The most results.
const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 10;
/// Passages whose documents are ranked for measuring.
const MOST_RANKED: usize = 300;
/// The most collections that a search names.
const MAX_COLLECTIONS: usize = 200;

/// What a rung found, best first.
struct Ranking {
    found: Vec<Fused<Uuid>>,
    /// Its coverage is that of an index which has everything, until the rows are looked at.
    rung: Rung,
    /// How far the indexes that were asked follow the rows; none when the rows themselves were asked.
    standings: Vec<Standing>,
    /// The terms that matched, to mark them: those asked for, or those taken for them.
    terms: Vec<String>,
}

impl Knowledge {
    /// Answers a question from what the caller may read now, and puts on record for which `purpose` which documents
    /// were shown. What is found was live when this was called.
    ///
    /// # Errors
    /// [`Error::QueryInvalid`], [`Error::LimitInvalid`], [`Error::TooManyCollections`], a filter that can't be read, or
    /// the caller lacks [`READ`].
    pub async fn search(&self, caller: &Caller, search: &Search, purpose: &'static str) -> Result<Found, Error> {
        caller.require(READ)?;
        let asked = Asked::read(search)?;
        let scope = scope::of(self, caller, search).await?;
        let ranking =
            if scope.is_empty() { ladder::nothing() } else { ladder::climb(self, caller, &asked, &scope).await? };
        let answer = answer::hits(self, caller, &scope, &ranking, asked.limit).await?;
        let coverage = self.coverage(caller, &ranking, answer.head).await?;
        let (items, rung) = (answer.items, Rung { coverage, ..ranking.rung });
        answer::record(self, caller, &items, &rung, purpose).await?;
        metrics::counter!("holdfast_knowledge_searches_total", "rung" => answer::rung_word(rung.name)).increment(1);
        Ok(Found { items, rung })
    }

    /// The part of the passages that were looked through: the least of all indexes that were asked. The rows were read
    /// after the indexes, so what came in between counts as not looked through.
    async fn coverage(&self, caller: &Caller, ranking: &Ranking, head: Option<u64>) -> Result<f64, Error> {
        let mut least = ranking.rung.coverage;
        if ranking.standings.is_empty() {
            return Ok(least);
        }
        let head = match head {
            Some(head) => head,
            None => self.db().read(caller, async |tx| documents::head(tx).await).await?.unsigned_abs(),
        };
        for standing in &ranking.standings {
            least = least.min(standing.coverage(self, caller, head).await?);
        }
        Ok(least)
    }
}

impl Knowledge {
    /// The names of the documents that answer best, each by its best passage, at most `limit` (and 300): for measuring
    /// how well the search finds. Not put on record.
    ///
    /// # Errors
    /// Those of [`Self::search`].
    pub async fn rank_documents(
        &self,
        caller: &Caller,
        query: &str,
        mode: Mode,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        caller.require(READ)?;
        let search = Search { query: query.to_owned(), mode: Some(mode), ..Search::default() };
        let asked = Asked { limit: MOST_RANKED, ..Asked::read(&search)? };
        let scope = scope::of(self, caller, &search).await?;
        let ranking = ladder::climb(self, caller, &asked, &scope).await?;
        let mut named = HashSet::new();
        let hits = answer::hits(self, caller, &scope, &ranking, MOST_RANKED).await?;
        let names = hits.items.into_iter().filter(|hit| named.insert(hit.document)).map(|hit| hit.name);
        Ok(names.take(limit).collect())
    }
}

/// A question that is in order.
struct Asked {
    query: String,
    terms: Vec<String>,
    limit: usize,
    mode: Mode,
}

impl Asked {
    fn read(search: &Search) -> Result<Self, Error> {
        let query = search.query.trim();
        let terms = crate::analysis::query_terms(query);
        if query.is_empty() || query.chars().count() > MAX_QUERY || terms.is_empty() {
            return Err(Error::QueryInvalid { max: MAX_QUERY });
        }
        let limit = search.limit.map_or(Some(DEFAULT_LIMIT), |limit| u32::try_from(limit).ok());
        let limit =
            limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or(Error::LimitInvalid { max: MAX_LIMIT })?;
        if search.collections.as_ref().is_some_and(|collections| collections.len() > MAX_COLLECTIONS) {
            return Err(Error::TooManyCollections { max: MAX_COLLECTIONS });
        }
        Ok(Self { query: query.to_owned(), terms, limit: limit as usize, mode: search.mode.unwrap_or_default() })
    }
}

/// How many passages each ranker is asked for, so that enough are left after fusing and after what went meanwhile.
fn depth(limit: usize) -> usize {
    (limit * 3).clamp(60, 300)
}

/// A ranking of one kind, as if it had been fused.
fn alone(list: &[(Uuid, f32)], ranker: Ranker) -> Vec<Fused<Uuid>> {
    let part = |rank: usize, score: f32| crate::fusion::Part { rank: rank + 1, score, share: score };
    let fused = list.iter().enumerate().map(|(rank, &(key, score))| match ranker {
        Ranker::Text => Fused { key, score, text: Some(part(rank, score)), vector: None },
        Ranker::Vector => Fused { key, score, text: None, vector: Some(part(rank, score)) },
    });
    fused.collect()
}

#[derive(Clone, Copy)]
enum Ranker {
    Text,
    Vector,
}
