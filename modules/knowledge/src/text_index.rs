//! Ranking by words (BM25): one Tantivy index for each tenant, so that no tenant's texts weigh in another's scores.
//!
//! Derived state: what it holds can be made again from the rows it came from. It knows the sequence number up to which
//! it follows them, and says when it has to be rebuilt. All calls block: keep them off async threads.

mod error;
mod files;
mod schema;
mod search;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy};
use uuid::Uuid;

pub use error::TextIndexError;
use schema::{Fields, Progress};

/// Memory for passages that are not yet on disk. Tantivy needs 15 MB at least.
const WRITER_MEMORY: usize = 24 << 20;

/// A passage as the index takes it.
#[derive(Clone, Debug)]
pub struct TextPassage {
    /// What a search returns.
    pub passage: Uuid,
    /// The terms of its text with a space between, from [`crate::analysis::joined`].
    pub terms: String,
    /// The terms of the headings above it, in the same form; may be empty.
    pub heading: String,
}

/// A change to the index.
#[derive(Clone, Debug)]
pub enum TextChange {
    /// These are the passages of a document now; those that it had before go.
    Put {
        /// The document.
        document: Uuid,
        /// The collection that it is in.
        collection: Uuid,
        /// All its passages.
        passages: Vec<TextPassage>,
    },
    /// The document goes.
    Remove {
        /// The document.
        document: Uuid,
    },
}

/// The text index of one tenant, in a folder of its own.
pub struct TextIndex {
    folder: PathBuf,
    index: Index,
    fields: Fields,
    reader: IndexReader,
    /// What the last commit says of itself.
    applied: AtomicU64,
    /// Made by the first change, dropped by [`TextIndex::rest`]: it costs memory and two threads.
    writer: Mutex<Option<IndexWriter>>,
}

impl TextIndex {
    /// Opens the index in `folder`, which is made (mode 0700) if it is not there; a new one has applied 0.
    /// Every file's checksum is read: about a second for a gigabyte.
    ///
    /// # Errors
    /// [`TextIndexError::NeedsRebuild`] if it is damaged or of another version of this program: call
    /// [`TextIndex::recreate`] and apply all rows again. Otherwise [`TextIndexError::Failed`].
    pub fn open_or_create(folder: &Path) -> Result<Self, TextIndexError> {
        files::make(folder)?;
        if !folder.join("meta.json").is_file() {
            return Self::recreate(folder);
        }
        let index = files::open(folder)?;
        Self::over(folder, index)
    }

    /// Throws away what is in `folder` and makes an empty index there.
    ///
    /// # Errors
    /// [`TextIndexError::Failed`]
    pub fn recreate(folder: &Path) -> Result<Self, TextIndexError> {
        files::clear(folder)?;
        let index = Index::create_in_dir(folder, schema::schema())?;
        Self::over(folder, index)
    }

    fn over(folder: &Path, index: Index) -> Result<Self, TextIndexError> {
        let fields = Fields::of(&index.schema())?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let applied = Progress::of(&index.load_metas()?)?.map_or(0, |progress| progress.seq).into();
        Ok(Self { folder: folder.to_owned(), index, fields, reader, applied, writer: Mutex::new(None) })
    }

    /// The sequence number of the last changes that are on disk; 0 for a new index.
    pub fn applied_seq(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// How many passages it holds.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies changes in order and notes `seq`, in one commit that is on disk when this returns: all or none of it.
    ///
    /// # Errors
    /// [`TextIndexError::Failed`]; nothing is applied then.
    pub fn apply(&self, changes: &[TextChange], seq: u64) -> Result<(), TextIndexError> {
        let mut slot = self.writer();
        let result = self.write(&mut slot, changes, seq);
        if result.is_err() {
            // What it had taken in goes with it.
            *slot = None;
        }
        drop(slot);
        result?;
        self.reader.reload()?;
        // Only now: what it says is in is found.
        self.applied.store(seq, Ordering::Release);
        Ok(())
    }

    fn write(&self, slot: &mut Option<IndexWriter>, changes: &[TextChange], seq: u64) -> Result<(), TextIndexError> {
        let writer = match slot {
            Some(writer) => writer,
            None => slot.insert(self.new_writer()?),
        };
        for change in changes {
            let (TextChange::Put { document, .. } | TextChange::Remove { document }) = change;
            writer.delete_term(self.fields.document_term(*document));
            if let TextChange::Put { document, collection, passages } = change {
                for passage in passages {
                    writer.add_document(self.fields.document(*document, *collection, passage))?;
                }
            }
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&Progress::at(seq).to_payload());
        commit.commit()?;
        Ok(())
    }

    fn new_writer(&self) -> Result<IndexWriter, TextIndexError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_MEMORY)
            .build();
        Ok(self.index.writer_with_options(options)?)
    }

    /// Gives back the memory and threads of writing, after merges that are under way. The next change makes them anew.
    ///
    /// # Errors
    /// [`TextIndexError::Failed`]
    pub fn rest(&self) -> Result<(), TextIndexError> {
        let writer = self.writer().take();
        if let Some(writer) = writer {
            writer.wait_merging_threads()?;
            self.reader.reload()?;
        }
        Ok(())
    }

    /// Writes those parts anew that hold something of removed passages, and removes the old files, so that nothing of
    /// them is left on the disk. It costs as much as the parts are large.
    ///
    /// # Errors
    /// [`TextIndexError::Failed`]
    pub fn expunge(&self) -> Result<(), TextIndexError> {
        self.rest()?;
        let _no_other = self.writer();
        let segments = self.index.searchable_segment_metas()?;
        let stained: Vec<_> =
            segments.iter().filter(|segment| segment.has_deletes()).map(tantivy::SegmentMeta::id).collect();
        drop(segments);
        if stained.is_empty() {
            return Ok(());
        }
        let mut writer = self.new_writer()?;
        writer.merge(&stained).wait()?;
        // The reader lets go of the old files, so that they can be removed.
        self.reader.reload()?;
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()?;
        Ok(())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn writer(&self) -> MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
