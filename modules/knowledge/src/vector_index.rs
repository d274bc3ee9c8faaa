//! Ranking by meaning: the passages whose vectors point the way the question's does.
//!
//! One index for each tenant and model, in memory, with a file to start from. Derived state: it knows the sequence
//! number up to which it follows the rows, and says when it has to be rebuilt. Small sets, and small permitted parts
//! of large ones, are compared one by one; beyond that a graph (HNSW) leads to the neighbours. All calls block.

mod error;
mod file;
mod graph;
mod links;
mod rows;
mod scan;
mod search;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

pub use error::VectorIndexError;
use graph::Graph;
use rows::Rows;

use crate::embed::ModelId;

/// When the index takes which way, by measurement (docs/adr).
#[derive(Clone, Copy)]
struct Tuning {
    /// From how many passages on a graph is built. Comparing so many takes 2 to 3 ms and misses none.
    graph_from: usize,
    /// Permitted rows that a walk keeps at least while it goes on.
    breadth: usize,
    /// What one step of a walk costs, in rows compared one by one.
    step: usize,
}

const TUNING: Tuning = Tuning { graph_from: 100_000, breadth: 512, step: 96 };

/// Rows that are gone and take room, in all and as one part of so many, before they are cleared away.
const CLEAR_FROM: usize = 1000;
const CLEAR_PART: usize = 4;

/// A passage as the index takes it.
#[derive(Clone, Debug)]
pub struct VectorPassage {
    /// What a search returns.
    pub passage: Uuid,
    /// Of length 1, as [`crate::Embedder`] gives it.
    pub vector: Vec<f32>,
}

/// A change to the index.
#[derive(Clone, Debug)]
pub enum VectorChange {
    /// These are the passages of a document now; those that it had before go.
    Put {
        /// The document.
        document: Uuid,
        /// The collection that it is in.
        collection: Uuid,
        /// All its passages.
        passages: Vec<VectorPassage>,
    },
    /// The document goes.
    Remove {
        /// The document.
        document: Uuid,
    },
}

/// The vector index of one tenant and model.
pub struct VectorIndex {
    folder: PathBuf,
    model: ModelId,
    tuning: Tuning,
    state: RwLock<State>,
    /// One at a time extends the graph or clears it.
    tending: Mutex<()>,
}

struct State {
    rows: Rows,
    graph: Graph,
    seq: u64,
    /// What the file holds.
    saved: u64,
}

impl VectorIndex {
    /// Opens the index in `folder`, which is made (mode 0700) if it is not there; a new one has applied 0. A graph is
    /// built from 100,000 passages on.
    ///
    /// # Errors
    /// [`VectorIndexError::NeedsRebuild`] if its file is damaged, of another model or of another version of this
    /// program: call [`VectorIndex::recreate`] and apply all rows again. [`VectorIndexError::Failed`].
    pub fn open_or_create(folder: &Path, model: &ModelId, dimensions: usize) -> Result<Self, VectorIndexError> {
        file::make(folder)?;
        let state = match file::read(folder, model, dimensions)? {
            Some(state) => state,
            None => State { rows: Rows::new(dimensions), graph: Graph::default(), seq: 0, saved: 0 },
        };
        Ok(Self {
            folder: folder.to_owned(),
            model: model.clone(),
            tuning: TUNING,
            state: RwLock::new(state),
            tending: Mutex::new(()),
        })
    }

    /// Throws away what is in `folder` and makes an empty index there.
    ///
    /// # Errors
    /// [`VectorIndexError::Failed`]
    pub fn recreate(folder: &Path, model: &ModelId, dimensions: usize) -> Result<Self, VectorIndexError> {
        file::clear(folder)?;
        Self::open_or_create(folder, model, dimensions)
    }

    /// Builds a graph from so many passages on, instead of 100,000.
    #[must_use]
    pub fn with_graph_from(mut self, passages: usize) -> Self {
        self.tuning.graph_from = passages;
        self
    }

    /// Walks the graph whenever there is one, in small sets too.
    #[cfg(test)]
    pub(crate) fn always_walking(mut self) -> Self {
        self.tuning = Tuning { graph_from: 500, breadth: 128, step: 0 };
        self
    }

    /// The sequence number of the last changes applied, which may not be on disk yet; 0 for a new index.
    pub fn applied_seq(&self) -> u64 {
        self.read().seq
    }

    /// The sequence number that the file holds: where the next start goes on from.
    pub fn saved_seq(&self) -> u64 {
        self.read().saved
    }

    /// How many passages it holds.
    pub fn len(&self) -> usize {
        self.read().rows.alive()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies changes in order and notes `seq`. A search sees all or none of them. In memory alone: see
    /// [`VectorIndex::save`].
    ///
    /// # Errors
    /// [`VectorIndexError::Dimensions`]; nothing is applied then.
    pub fn apply(&self, changes: &[VectorChange], seq: u64) -> Result<(), VectorIndexError> {
        let mut state = self.write();
        let dimensions = state.rows.dimensions();
        for change in changes {
            let VectorChange::Put { passages, .. } = change else { continue };
            if let Some(odd) = passages.iter().find(|passage| passage.vector.len() != dimensions) {
                return Err(VectorIndexError::Dimensions { expected: dimensions, got: odd.vector.len() });
            }
        }
        for change in changes {
            match change {
                VectorChange::Put { document, collection, passages } => {
                    state.rows.put(*document, *collection, passages);
                }
                VectorChange::Remove { document } => state.rows.remove(*document),
            }
        }
        state.seq = seq;
        Ok(())
    }

    /// Does up to `most` passages' worth of the work that makes a large index fast, and tells how many are left.
    /// Searches go on meanwhile and are complete at any time. Call it in the background until it returns 0.
    pub fn tend(&self, most: usize) -> usize {
        let _one = self.tending.lock().unwrap_or_else(PoisonError::into_inner);
        self.clear_away();
        for _ in 0..most {
            let state = self.read();
            if state.rows.alive() < self.tuning.graph_from || state.graph.len() == state.rows.len() {
                return 0;
            }
            let plan = state.graph.plan(&state.rows);
            drop(state);
            let state = &mut *self.write();
            state.graph.link(plan, &state.rows);
        }
        let state = self.read();
        state.rows.len() - state.graph.len()
    }

    /// Leaves out the rows that are gone, and with them the graph that leads over them.
    fn clear_away(&self) {
        let state = self.read();
        let gone = state.rows.len() - state.rows.alive();
        if gone < CLEAR_FROM || gone * CLEAR_PART < state.rows.len() {
            return;
        }
        drop(state);
        let state = &mut *self.write();
        state.rows = state.rows.without_gone();
        state.graph = Graph::default();
    }

    /// Writes the index to its file, whole or not at all. Changes wait meanwhile, searches do not.
    ///
    /// # Errors
    /// [`VectorIndexError::Failed`]; the file is as it was then.
    pub fn save(&self) -> Result<(), VectorIndexError> {
        let _one = self.tending.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.read();
        file::write(&self.folder, &self.model, &state)?;
        let seq = state.seq;
        drop(state);
        self.write().saved = seq;
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
