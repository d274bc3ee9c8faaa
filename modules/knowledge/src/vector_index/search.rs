//! The nearest permitted passages, by whichever way is the shorter.

use uuid::Uuid;

use super::error::VectorIndexError;
use super::rows::{GONE, Probe, Rows, quantize};
use super::scan::{Near, Nearest};
use super::walk::{self, Walk};
use super::{State, Tuning, VectorIndex};
use crate::permitted::Permitted;

/// Rows found by their 8 bits for each one returned, which are then ranked by their 16.
const SPARE: usize = 4;
/// And so many at least.
const SPARE_LEAST: usize = 64;

impl VectorIndex {
    /// The passages whose vectors are nearest to `query`, best first, with their cosines; equal ones by id. `limit`
    /// permitted passages come whenever so many exist. A query of zeros finds nothing.
    ///
    /// # Errors
    /// [`VectorIndexError::Dimensions`]
    pub fn search(
        &self,
        query: &[f32],
        permitted: &Permitted,
        limit: usize,
    ) -> Result<Vec<(Uuid, f32)>, VectorIndexError> {
        let state = self.read();
        let dimensions = state.rows.dimensions();
        if query.len() != dimensions {
            return Err(VectorIndexError::Dimensions { expected: dimensions, got: query.len() });
        }
        if limit == 0 || !query.iter().any(|x| *x != 0.0 && x.is_finite()) {
            return Ok(Vec::new());
        }
        let view = View::new(&state, self.tuning, permitted);
        let mut codes = Vec::with_capacity(dimensions);
        let scale = quantize(query, &mut codes);
        let found = view.nearest(&Probe { codes: &codes, scale }, limit.saturating_mul(SPARE).max(SPARE_LEAST));
        Ok(rank(&state.rows, query, &found, limit))
    }

    /// What the graph alone leads to: a scan would hide its faults.
    #[cfg(test)]
    pub(crate) fn walked(&self, query: &[f32], limit: usize) -> Vec<(Uuid, f32)> {
        let state = self.read();
        let view = View::new(&state, self.tuning, &Permitted::everything());
        let mut codes = Vec::new();
        let scale = quantize(query, &mut codes);
        let found = view.walk(&Probe { codes: &codes, scale }, self.tuning.breadth, limit).unwrap_or_default();
        rank(&state.rows, query, &found, limit)
    }
}

fn rank(rows: &Rows, query: &[f32], found: &[Near], limit: usize) -> Vec<(Uuid, f32)> {
    let mut buffer = vec![0f32; rows.dimensions()];
    let mut ranked: Vec<(Uuid, f32)> = found
        .iter()
        .map(|near| (rows.passages[near.row as usize], rows.cosine(query, near.row, &mut buffer)))
        .collect();
    ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(limit);
    ranked
}

/// What one search may see of the index.
struct View<'a> {
    state: &'a State,
    tuning: Tuning,
    /// By document, whether it is permitted; `None` if all are.
    permitted: Option<Vec<bool>>,
    /// How many rows are permitted.
    rows: usize,
}

impl<'a> View<'a> {
    fn new(state: &'a State, tuning: Tuning, permitted: &Permitted) -> Self {
        if permitted.is_everything() {
            return Self { state, tuning, permitted: None, rows: state.rows.alive() };
        }
        let mut rows = 0;
        let of = state.rows.documents.iter().map(|document| {
            let allowed = !document.rows.is_empty() && permitted.allows(document.collection, document.id);
            rows += if allowed { document.rows.len() } else { 0 };
            allowed
        });
        let of = of.collect();
        Self { state, tuning, permitted: Some(of), rows }
    }

    fn allows(&self, row: u32) -> bool {
        let owner = self.state.rows.owners[row as usize];
        owner != GONE && self.permitted.as_ref().is_none_or(|documents| documents[owner as usize])
    }

    fn nearest(&self, probe: &Probe<'_>, count: usize) -> Vec<Near> {
        let breadth = count.max(self.tuning.breadth);
        if self.walking_is_longer(breadth) {
            return self.scan(probe, count);
        }
        match self.walk(probe, breadth, count) {
            Some(found) => found,
            None => self.scan(probe, count),
        }
    }

    /// A walk looks at about `breadth` rows for each of the permitted share, and at the neighbours of each.
    fn walking_is_longer(&self, breadth: usize) -> bool {
        let covered = self.state.graph.len();
        let tail = self.state.rows.len() - covered;
        let steps = breadth.saturating_mul(covered) / self.rows.max(1);
        covered == 0 || steps.saturating_mul(self.tuning.step).saturating_add(tail) >= self.rows
    }

    /// Compares all that is permitted.
    fn scan(&self, probe: &Probe<'_>, count: usize) -> Vec<Near> {
        let rows = &self.state.rows;
        let mut found = Nearest::new(count);
        let mut offer = |row: u32| found.offer(Near { near: rows.near(probe, row), row });
        match &self.permitted {
            None => (0..).zip(&rows.owners).filter(|(_, owner)| **owner != GONE).for_each(|(row, _)| offer(row)),
            Some(permitted) => {
                let documents = rows.documents.iter().zip(permitted).filter(|(_, permitted)| **permitted);
                documents.flat_map(|(document, _)| &document.rows).for_each(|row| offer(*row));
            }
        }
        found.into_sorted()
    }

    /// Walks the graph, then compares the rows that it does not have yet. `None` if the walk did not find enough.
    fn walk(&self, probe: &Probe<'_>, breadth: usize, count: usize) -> Option<Vec<Near>> {
        let (rows, graph) = (&self.state.rows, &self.state.graph);
        let (entry, top) = graph.entry?;
        let near = |row: u32| rows.near(probe, row);
        let start = walk::descend(&graph.links, entry, top, 0, &near);
        // Beyond as many as are permitted, a scan would have been shorter.
        let walk = Walk { level: 0, breadth, budget: self.rows };
        let mut found = walk.run(&graph.links, start, &near, &|row| self.allows(row));
        if found.len() < count.min(breadth) {
            return None;
        }
        for row in (0u32..).take(rows.len()).skip(graph.len()).filter(|row| self.allows(*row)) {
            found.offer(Near { near: near(row), row });
        }
        let mut found = found.into_sorted();
        found.truncate(count);
        Some(found)
    }
}
