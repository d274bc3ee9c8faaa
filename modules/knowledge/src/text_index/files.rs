//! The folder of a text index: private to the process's user, whole, and of this version.

use std::fs;
use std::path::Path;

use tantivy::Index;

use super::error::TextIndexError;
use super::schema::{self, Progress};

/// Makes the folder readable by its owner alone.
pub(super) fn make(folder: &Path) -> Result<(), TextIndexError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(folder)?)
}

/// Makes the folder anew, empty.
pub(super) fn clear(folder: &Path) -> Result<(), TextIndexError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => make(folder),
    }
}

/// Opens an index after looking at everything that could be wrong with it.
pub(super) fn open(folder: &Path) -> Result<Index, TextIndexError> {
    let broken = |error: tantivy::TantivyError| TextIndexError::NeedsRebuild(error.to_string());
    let index = Index::open_in_dir(folder).map_err(broken)?;
    if index.schema() != schema::schema() {
        return Err(TextIndexError::NeedsRebuild("its fields are those of another version".into()));
    }
    let metas = index.load_metas().map_err(broken)?;
    let progress = Progress::of(&metas)?;
    if progress.is_none() && !metas.segments.is_empty() {
        return Err(TextIndexError::NeedsRebuild("it does not say what it follows".into()));
    }
    let damaged = index.validate_checksum().map_err(broken)?;
    if let Some(file) = damaged.iter().next() {
        return Err(TextIndexError::NeedsRebuild(format!("{} is damaged", file.display())));
    }
    Ok(index)
}
