//! Every issued certificate on this machine's disk, sealed: what answers when the store does not.
//!
//! One file a name, found by its digest: opening the folder costs the same for none and for 50,000. A file is written
//! beside its place, synced, and renamed into it, so that it is whole or the former one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::digest::{SHA256, digest};

use crate::{name::Name, store::SealedCertificate};

/// The most bytes of a certificate's file.
const LONGEST: u64 = 256 * 1024;
const CURSOR: &str = "cursor";

/// The snapshot can't be written or read.
#[derive(Debug, thiserror::Error)]
#[error("Can't {action} {}: {cause}. Make the folder writable for this process and free some space.", .path.display())]
pub struct SnapshotError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

/// A folder of sealed certificates.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
    written: AtomicU64,
}

impl Snapshot {
    /// Opens the folder, such as `data/certificates`, or makes it (mode 0700).
    ///
    /// # Errors
    /// [`SnapshotError`] if it can't be made.
    pub fn open(folder: &Path) -> Result<Self, SnapshotError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(failed("create", folder))?;
        Ok(Self { folder: folder.to_owned(), written: AtomicU64::new(0) })
    }

    /// The sealed certificate of a name.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is there and can't be read.
    pub fn read(&self, name: &Name) -> Result<Option<SealedCertificate>, SnapshotError> {
        let path = self.place(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(SealedCertificate(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Keeps a certificate; it is on disk when this returns.
    ///
    /// # Errors
    /// [`SnapshotError`]; the former file is then still there.
    pub fn write(&self, name: &Name, sealed: &SealedCertificate) -> Result<(), SnapshotError> {
        self.replace(&self.place(name), &sealed.0)
    }

    /// Drops a certificate.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is there and can't be removed.
    pub fn remove(&self, name: &Name) -> Result<(), SnapshotError> {
        let path = self.place(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Up to which version of the store everything is here; 0 if that is not known.
    pub fn cursor(&self) -> u64 {
        let text = fs::read_to_string(self.folder.join(CURSOR)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// Writes down up to where everything is here.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn set_cursor(&self, version: u64) -> Result<(), SnapshotError> {
        self.replace(&self.folder.join(CURSOR), format!("{version}\n").as_bytes())
    }

    fn place(&self, name: &Name) -> PathBuf {
        let digest = hex::encode(digest(&SHA256, name.as_str().as_bytes()));
        self.folder.join(&digest[..2]).join(&digest[2..])
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), SnapshotError> {
        let folder = path.parent().unwrap_or(&self.folder);
        let turn = self.written.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{turn}.new", std::process::id()));
        let written = (|| {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            File::open(folder)?.sync_all()
        })();
        if written.is_err() {
            let _gone = fs::remove_file(&beside).is_ok();
        }
        written.map_err(failed("write", path))
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    let path = path.to_owned();
    move |cause| SnapshotError { action, path, cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_found_again_by_another_process_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let (name, sealed) = (Name::parse("a.example.com").unwrap(), SealedCertificate(vec![1, 2, 3]));
        let first = Snapshot::open(folder.path()).unwrap();
        first.write(&name, &sealed).unwrap();
        first.set_cursor(7).unwrap();

        let second = Snapshot::open(folder.path()).unwrap();

        assert_eq!(second.read(&name).unwrap(), Some(sealed));
        assert_eq!(second.cursor(), 7);
        assert_eq!(fs::metadata(second.place(&name)).unwrap().permissions().mode() & 0o777, 0o600);
        second.remove(&name).unwrap();
        second.remove(&name).unwrap();
        assert_eq!(second.read(&name).unwrap(), None);
    }

    #[test]
    fn a_write_that_fails_leaves_the_former_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let (name, sealed) = (Name::parse("a.example.com").unwrap(), SealedCertificate(vec![1, 2, 3]));
        let snapshot = Snapshot::open(folder.path()).unwrap();
        snapshot.write(&name, &sealed).unwrap();
        // The name of the file beside is taken by a folder: it can't be opened for writing.
        let beside = snapshot.place(&name).with_extension(format!("{}-1.new", std::process::id()));
        fs::create_dir(&beside).unwrap();

        assert!(snapshot.write(&name, &SealedCertificate(vec![4])).is_err());

        assert_eq!(snapshot.read(&name).unwrap(), Some(sealed));
    }
}
