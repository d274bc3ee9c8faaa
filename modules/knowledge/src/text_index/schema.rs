//! What the text index stores of a passage, and how far it has come.

use serde::{Deserialize, Serialize};
use tantivy::columnar::Column;
use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexMeta, SegmentReader, TantivyDocument, Term};
use uuid::Uuid;

use super::TextPassage;
use super::error::TextIndexError;
use crate::analysis::ANALYSIS_VERSION;

/// Changes with the layout of the index.
const FORMAT: u32 = 1;

/// The 128 bits of an id as two columns, since Tantivy's columns have 64.
#[derive(Clone, Copy)]
pub(super) struct IdColumns {
    high: &'static str,
    low: &'static str,
}

const PASSAGE: IdColumns = IdColumns { high: "passage_high", low: "passage_low" };
const DOCUMENT: IdColumns = IdColumns { high: "document_high", low: "document_low" };
const COLLECTION: IdColumns = IdColumns { high: "collection_high", low: "collection_low" };

/// The index's fields.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) terms: Field,
    pub(super) heading: Field,
    pub(super) document: Field,
    pub(super) collection: Field,
    ids: [[Field; 2]; 3],
}

pub(super) fn schema() -> Schema {
    let mut builder = Schema::builder();
    // Terms are made before: here they are only taken apart at spaces.
    let indexing =
        TextFieldIndexing::default().set_tokenizer("whitespace").set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(indexing);
    builder.add_text_field("terms", text.clone());
    builder.add_text_field("heading", text);
    builder.add_bytes_field("document", BytesOptions::default().set_indexed());
    builder.add_bytes_field("collection", BytesOptions::default().set_indexed());
    for columns in [PASSAGE, DOCUMENT, COLLECTION] {
        builder.add_u64_field(columns.high, NumericOptions::from(FAST));
        builder.add_u64_field(columns.low, NumericOptions::from(FAST));
    }
    builder.build()
}

impl Fields {
    pub(super) fn of(schema: &Schema) -> Result<Self, TextIndexError> {
        let pair = |columns: IdColumns| -> Result<[Field; 2], TextIndexError> {
            Ok([schema.get_field(columns.high)?, schema.get_field(columns.low)?])
        };
        Ok(Self {
            terms: schema.get_field("terms")?,
            heading: schema.get_field("heading")?,
            document: schema.get_field("document")?,
            collection: schema.get_field("collection")?,
            ids: [pair(PASSAGE)?, pair(DOCUMENT)?, pair(COLLECTION)?],
        })
    }

    pub(super) fn document_term(&self, document: Uuid) -> Term {
        Term::from_field_bytes(self.document, document.as_bytes())
    }

    pub(super) fn collection_term(&self, collection: Uuid) -> Term {
        Term::from_field_bytes(self.collection, collection.as_bytes())
    }

    pub(super) fn document(&self, document: Uuid, collection: Uuid, passage: &TextPassage) -> TantivyDocument {
        let mut row = TantivyDocument::default();
        row.add_text(self.terms, &passage.terms);
        if !passage.heading.is_empty() {
            row.add_text(self.heading, &passage.heading);
        }
        row.add_bytes(self.document, document.as_bytes());
        row.add_bytes(self.collection, collection.as_bytes());
        for ([high, low], id) in self.ids.into_iter().zip([passage.passage, document, collection]) {
            let (upper, lower) = id.as_u64_pair();
            row.add_u64(high, upper);
            row.add_u64(low, lower);
        }
        row
    }
}

/// The ids of a segment's rows.
pub(super) struct Ids([Column<u64>; 2]);

impl Ids {
    pub(super) fn passages(segment: &SegmentReader) -> Result<Self, TextIndexError> {
        Self::open(segment, PASSAGE)
    }

    pub(super) fn documents(segment: &SegmentReader) -> Result<Self, TextIndexError> {
        Self::open(segment, DOCUMENT)
    }

    pub(super) fn collections(segment: &SegmentReader) -> Result<Self, TextIndexError> {
        Self::open(segment, COLLECTION)
    }

    fn open(segment: &SegmentReader, columns: IdColumns) -> Result<Self, TextIndexError> {
        Ok(Self([segment.fast_fields().u64(columns.high)?, segment.fast_fields().u64(columns.low)?]))
    }

    pub(super) fn get(&self, row: u32) -> Uuid {
        let [high, low] = &self.0;
        Uuid::from_u64_pair(high.first(row).unwrap_or_default(), low.first(row).unwrap_or_default())
    }
}

/// What a commit says about itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Progress {
    format: u32,
    analysis: u32,
    pub(super) seq: u64,
}

impl Progress {
    pub(super) fn at(seq: u64) -> Self {
        Self { format: FORMAT, analysis: ANALYSIS_VERSION, seq }
    }

    pub(super) fn to_payload(&self) -> String {
        // Three numbers: this can't fail, and an empty payload would only mean a rebuild.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What the last commit says; `None` before the first.
    pub(super) fn of(metas: &IndexMeta) -> Result<Option<Self>, TextIndexError> {
        let Some(payload) = &metas.payload else { return Ok(None) };
        let progress: Self = serde_json::from_str(payload)
            .map_err(|error| TextIndexError::NeedsRebuild(format!("its progress can't be read: {error}")))?;
        if (progress.format, progress.analysis) != (FORMAT, ANALYSIS_VERSION) {
            return Err(TextIndexError::NeedsRebuild("it was made by another version".into()));
        }
        Ok(Some(progress))
    }
}
