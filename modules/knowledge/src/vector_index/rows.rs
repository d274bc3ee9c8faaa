//! The vectors: each in 8 bits a number to find by, and in 16 to rank by.

use std::collections::HashMap;

use half::f16;
use half::slice::HalfFloatSliceExt;
use simsimd::SpatialSimilarity;
use uuid::Uuid;

use super::VectorPassage;

/// The document of a row that is gone.
pub(super) const GONE: u32 = u32::MAX;

/// Row by row; a row's place never changes while this lives.
pub(super) struct Rows {
    pub(super) dimensions: usize,
    pub(super) codes: Vec<i8>,
    /// What one step of a row's codes is worth.
    pub(super) scales: Vec<f32>,
    pub(super) exact: Vec<f16>,
    pub(super) passages: Vec<Uuid>,
    /// For each row the place of its document, or [`GONE`].
    pub(super) owners: Vec<u32>,
    pub(super) documents: Vec<Document>,
    by_id: HashMap<Uuid, u32>,
    alive: usize,
}

/// A document and its rows, which are none once it is gone.
pub(super) struct Document {
    pub(super) id: Uuid,
    pub(super) collection: Uuid,
    pub(super) rows: Vec<u32>,
}

/// A vector that rows are compared with.
pub(super) struct Probe<'a> {
    pub(super) codes: &'a [i8],
    pub(super) scale: f32,
}

impl Rows {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            codes: Vec::new(),
            scales: Vec::new(),
            exact: Vec::new(),
            passages: Vec::new(),
            owners: Vec::new(),
            documents: Vec::new(),
            by_id: HashMap::new(),
            alive: 0,
        }
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Rows, those that are gone among them.
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    /// Rows that are not gone.
    pub(super) fn alive(&self) -> usize {
        self.alive
    }

    pub(super) fn put(&mut self, document: Uuid, collection: Uuid, passages: &[VectorPassage]) {
        self.remove(document);
        if passages.is_empty() {
            return;
        }
        let owner = self.add_document(document, collection);
        for VectorPassage { passage, vector } in passages {
            let scale = quantize(vector, &mut self.codes);
            self.scales.push(scale);
            self.exact.extend(vector.iter().map(|x| f16::from_f32(*x)));
            self.add_row(*passage, owner);
        }
    }

    pub(super) fn remove(&mut self, document: Uuid) {
        let Some(owner) = self.by_id.remove(&document) else { return };
        let rows = std::mem::take(&mut self.documents[owner as usize].rows);
        self.alive -= rows.len();
        for row in rows {
            self.owners[row as usize] = GONE;
        }
    }

    /// Takes in a document without rows; its place.
    pub(super) fn add_document(&mut self, id: Uuid, collection: Uuid) -> u32 {
        let owner = place(self.documents.len());
        self.documents.push(Document { id, collection, rows: Vec::new() });
        self.by_id.insert(id, owner);
        owner
    }

    /// Notes that a document that was taken in is gone.
    pub(super) fn forget(&mut self, document: Uuid) {
        self.by_id.remove(&document);
    }

    /// Takes in a row whose numbers are there already.
    pub(super) fn add_row(&mut self, passage: Uuid, owner: u32) {
        let row = place(self.owners.len());
        self.passages.push(passage);
        self.owners.push(owner);
        if let Some(document) = self.documents.get_mut(owner as usize) {
            document.rows.push(row);
            self.alive += 1;
        }
    }

    /// The same without the rows that are gone.
    pub(super) fn without_gone(&self) -> Self {
        let mut kept = Self::new(self.dimensions);
        for document in self.documents.iter().filter(|document| !document.rows.is_empty()) {
            let owner = kept.add_document(document.id, document.collection);
            for &row in &document.rows {
                kept.codes.extend_from_slice(self.code(row));
                kept.scales.push(self.scales[row as usize]);
                kept.exact.extend_from_slice(self.halves(row));
                kept.add_row(self.passages[row as usize], owner);
            }
        }
        kept
    }

    pub(super) fn probe(&self, row: u32) -> Probe<'_> {
        Probe { codes: self.code(row), scale: self.scales[row as usize] }
    }

    /// About the cosine: what rows are found by.
    pub(super) fn near(&self, probe: &Probe<'_>, row: u32) -> f32 {
        let dot = i8::dot(probe.codes, self.code(row)).unwrap_or(f64::MIN);
        #[expect(clippy::cast_possible_truncation, reason = "a sum of products of 8-bit numbers")]
        let dot = dot as f32;
        dot * probe.scale * self.scales[row as usize]
    }

    /// The cosine to three digits or more: what rows are ranked by. `buffer` has room for one vector.
    pub(super) fn cosine(&self, vector: &[f32], row: u32, buffer: &mut [f32]) -> f32 {
        self.halves(row).convert_to_f32_slice(buffer);
        vector.iter().zip(buffer.iter()).map(|(a, b)| a * b).sum()
    }

    fn code(&self, row: u32) -> &[i8] {
        let start = row as usize * self.dimensions;
        &self.codes[start..start + self.dimensions]
    }

    fn halves(&self, row: u32) -> &[f16] {
        let start = row as usize * self.dimensions;
        &self.exact[start..start + self.dimensions]
    }
}

/// Appends a vector's codes, and tells what one step of them is worth.
pub(super) fn quantize(vector: &[f32], codes: &mut Vec<i8>) -> f32 {
    let largest = vector.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let scale = if largest > 0.0 && largest.is_finite() { largest / 127.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "rounded and within -127..127; a NaN becomes 0")]
    codes.extend(vector.iter().map(|x| (x / scale).round() as i8));
    scale
}

/// Places are 32 bits: four billion rows would not fit into memory.
fn place(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1)
}
