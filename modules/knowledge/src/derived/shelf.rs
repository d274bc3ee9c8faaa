//! One tenant's indexes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kernel::TenantId;

use crate::embed::ModelId;
use crate::text_index::{TextIndex, TextIndexError};
use crate::vector_index::{VectorIndex, VectorIndexError};

/// An index, and how far it must have come before it can answer for all that was there when it was opened.
pub(crate) struct Book<T> {
    pub(crate) index: T,
    complete_from: AtomicU64,
}

impl<T> Book<T> {
    fn new(index: T, head: u64) -> Self {
        Self { index, complete_from: AtomicU64::new(head) }
    }

    /// Whether it has caught up with what was there when it was opened, having applied this much.
    pub(crate) fn is_complete(&self, applied: u64) -> bool {
        applied >= self.complete_from.load(Ordering::Relaxed)
    }
}

/// One tenant's indexes, open.
pub(crate) struct Shelf {
    pub(crate) tenant: TenantId,
    folder: PathBuf,
    text: RwLock<Arc<Book<TextIndex>>>,
    vectors: RwLock<BTreeMap<String, Arc<Book<VectorIndex>>>>,
    /// One at a time feeds the shelf.
    pub(crate) feeding: tokio::sync::Mutex<()>,
}

impl Shelf {
    /// Opens the text index in the tenant's folder; what is damaged begins anew. Blocks.
    pub(crate) fn open(root: &Path, tenant: TenantId, head: u64) -> Result<Self, TextIndexError> {
        let folder = root.join(tenant.uuid().simple().to_string());
        let text = open_text(&folder.join("text"))?;
        Ok(Self {
            tenant,
            folder,
            text: RwLock::new(Arc::new(Book::new(text, head))),
            vectors: RwLock::default(),
            feeding: tokio::sync::Mutex::default(),
        })
    }

    /// The text index.
    pub(crate) fn text(&self) -> Arc<Book<TextIndex>> {
        Arc::clone(&self.text.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The text index, begun anew after it failed. Blocks.
    pub(crate) fn renew_text(&self, head: u64) -> Result<(), TextIndexError> {
        let text = TextIndex::recreate(&self.folder.join("text"))?;
        *self.text.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Book::new(text, head));
        Ok(())
    }

    /// The vector indexes by model.
    pub(crate) fn vectors(&self) -> Vec<(String, Arc<Book<VectorIndex>>)> {
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        vectors.iter().map(|(model, book)| (model.clone(), Arc::clone(book))).collect()
    }

    /// The vector index of a model, opened if it was not. Blocks.
    pub(crate) fn open_vectors(
        &self,
        model: &str,
        dimensions: usize,
        head: u64,
    ) -> Result<Arc<Book<VectorIndex>>, VectorIndexError> {
        if let Some(book) = self.vectors.read().unwrap_or_else(PoisonError::into_inner).get(model) {
            return Ok(Arc::clone(book));
        }
        let mut vectors = self.vectors.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = vectors.get(model) {
            return Ok(Arc::clone(book));
        }
        let id = ModelId::new(model);
        let folder = self.folder.join("vectors").join(file_name(model));
        let index = match VectorIndex::open_or_create(&folder, &id, dimensions) {
            Err(VectorIndexError::NeedsRebuild { .. }) => VectorIndex::recreate(&folder, &id, dimensions)?,
            opened => opened?,
        };
        let book = Arc::new(Book::new(index, head));
        vectors.insert(model.to_owned(), Arc::clone(&book));
        Ok(book)
    }
}

fn open_text(folder: &Path) -> Result<TextIndex, TextIndexError> {
    match TextIndex::open_or_create(folder) {
        Err(TextIndexError::NeedsRebuild { .. }) => {
            tracing::warn!(folder = %folder.display(), "the text index is damaged or of another version; it is made anew");
            TextIndex::recreate(folder)
        }
        opened => opened,
    }
}

/// A model's name as a file's: letters, digits, `-` and `_` stay, others become their number.
fn file_name(model: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    model.chars().map(|char| if plain(char) { char.to_string() } else { format!("%{:x}", u32::from(char)) }).collect()
}
