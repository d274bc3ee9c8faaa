//! Where the sealed bytes of versions lie: an object store, today a local folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use kernel::{Problem, TenantId};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use crate::error::Error;
use crate::model::VersionId;

/// Bytes that an upload holds before they go to the store.
const PART: usize = 1024 * 1024;

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

/// One thing in the store.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: Path,
    pub(crate) written: DateTime<Utc>,
}

impl Blobs {
    /// Opens a local folder, making it with mode 0700.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn open(folder: &FsPath) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(io::Error::other)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: fs::canonicalize(folder)? })
    }

    /// Where a version lies. The last digits of its id spread versions over folders.
    pub(crate) fn path(tenant: TenantId, version: VersionId) -> Path {
        let version = version.uuid().simple().to_string();
        let (_, spread) = version.split_at(30);
        Path::from_iter([tenant.uuid().simple().to_string(), spread.to_owned(), version])
    }

    /// Which version lies there.
    pub(crate) fn named(path: &Path) -> Option<(TenantId, VersionId)> {
        let mut parts = path.parts();
        let tenant = Uuid::try_parse(parts.next()?.as_ref()).ok()?;
        let version = Uuid::try_parse(parts.nth(1)?.as_ref()).ok()?;
        Some((TenantId::from_uuid(tenant), VersionId::from_uuid(version)))
    }

    /// Begins to write. It is there, whole and on the disk, when [`Writer::finish`] returns, and not before.
    pub(crate) async fn write(&self, path: &Path) -> Result<Writer, Error> {
        let upload = self.store.put_multipart(path).await.map_err(|error| Error::store(&error))?;
        Ok(Writer { upload, part: Vec::new() })
    }

    /// How many bytes lie there; `None` if there is nothing.
    pub(crate) async fn size(&self, path: &Path) -> Result<Option<u64>, Error> {
        match self.store.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::store(&error)),
        }
    }

    /// Bytes of what lies there; `None` if they are not there.
    pub(crate) async fn read(&self, path: &Path, range: Range<u64>) -> Result<Option<Bytes>, Error> {
        let length = range.end - range.start;
        match self.store.get_range(path, range).await {
            Ok(bytes) => Ok((bytes.len() as u64 == length).then_some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::store(&error)),
        }
    }

    /// Removes what lies there, if anything does.
    pub(crate) async fn remove(&self, path: &Path) -> Result<(), Error> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::store(&error)),
        }
    }

    /// All that lies in the store, or what a tenant has there.
    pub(crate) fn all(&self, tenant: Option<TenantId>) -> BoxStream<'static, Result<Found, Error>> {
        let prefix = tenant.map(|tenant| Path::from(tenant.uuid().simple().to_string()));
        let found = self.store.list(prefix.as_ref()).map_err(|error| Error::store(&error));
        Box::pin(found.map_ok(|meta| Found { path: meta.location, written: meta.last_modified }))
    }

    /// Removes what uploads that were cut off by a crash left behind before this moment; they never got their name.
    /// Returns how many.
    pub(crate) async fn remove_drafts(&self, before: DateTime<Utc>) -> Result<usize, Error> {
        let folder = self.folder.clone();
        let before = SystemTime::from(before);
        let removed = tokio::task::spawn_blocking(move || remove_drafts(&folder, before)).await;
        removed.map_err(Problem::internal)?.map_err(|cause| {
            tracing::error!(%cause, "the folder of the documents can't be read");
            Error::StoreAway
        })
    }
}

/// The crate `object_store` writes `name#1` and renames it to `name`.
fn remove_drafts(folder: &FsPath, before: SystemTime) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            removed += remove_drafts(&entry.path(), before)?;
        } else if entry.file_name().to_string_lossy().contains('#') && entry.metadata()?.modified()? < before {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Something being written. Dropped unfinished, it leaves nothing.
pub(crate) struct Writer {
    upload: Box<dyn MultipartUpload>,
    part: Vec<u8>,
}

impl Writer {
    /// Takes more bytes.
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART { self.flush().await } else { Ok(()) }
    }

    /// Gives it its name, when all of it is on the disk.
    pub(crate) async fn finish(mut self) -> Result<(), Error> {
        self.flush().await?;
        self.upload.complete().await.map_err(|error| Error::store(&error))?;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        if self.part.is_empty() {
            return Ok(());
        }
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART + PART / 8));
        self.upload.put_part(part.into()).await.map_err(|error| Error::store(&error))
    }
}
