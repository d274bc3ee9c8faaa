//! The data folder: made with mode 0700, and held by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a folder that is held is tried.
const LOOK: Duration = Duration::from_millis(5);

/// Why the data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It can't be made or written.
    #[error(
        "The data folder {path} can't be used: {source}. Check its owner, its mode and the free space, or name another with --data."
    )]
    Unusable { path: PathBuf, source: io::Error },
    /// Another process has it.
    #[error("Another Holdfast uses the data folder {0}; stop it first, or name another folder with --data.")]
    Taken(PathBuf),
}

/// The data folder while this process holds it.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder when missing, and takes its lock.
    ///
    /// # Errors
    /// It can't be made or written, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let path = fs::canonicalize(path).map_err(unusable)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("holdfast.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::Taken(path)),
            Err(TryLockError::Error(source)) => Err(DataFolderError::Unusable { path, source }),
        }
    }

    /// The same, waiting for the process that holds it to let go.
    ///
    /// # Errors
    /// It can't be made or written, or is still held after `wait`.
    pub async fn open_after(path: &Path, wait: Duration) -> Result<Self, DataFolderError> {
        let begun = Instant::now();
        loop {
            match Self::open(path) {
                Err(DataFolderError::Taken(_)) if begun.elapsed() < wait => tokio::time::sleep(LOOK).await,
                opened => return opened,
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
