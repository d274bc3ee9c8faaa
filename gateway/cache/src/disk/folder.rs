//! The folder of the cache: its lock, its files, and nothing that is not its own.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::format::{self, Known};
use crate::{
    key::Key,
    purge::{Purge, PurgeMode},
};

/// Our part of the folder that the settings name.
const OURS: &str = "answers-1";
const SHARDS: usize = 256;
/// A file's name: 32 digits for the key, a stroke, 16 for the file.
const NAME: usize = 49;

/// What a key is called.
pub(crate) type KeyName = [u8; 16];

/// The name of a key's files.
pub(crate) fn name_of(key: &Key) -> KeyName {
    let text = serde_json::to_vec(key).unwrap_or_default();
    let sum = Sha256::digest(&text);
    std::array::from_fn(|at| sum[at])
}

/// The folder, held by this process. All of it blocks.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// A purge that files are still to be compared with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) purge: Purge,
    pub(crate) mode: PurgeMode,
    /// Microseconds since 1970.
    pub(crate) at: u64,
}

impl Folder {
    /// Opens the folder, and makes what is missing of it. `None`: another process holds it.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let path = path.join(OURS);
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(&path)?;
        let lock = open_new(&path.join("lock"), false)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        // What a killed process was writing.
        match fs::remove_dir_all(path.join("new")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => make(&path.join("new"))?,
        }
        for shard in 0..SHARDS {
            make(&path.join(format!("{shard:02x}")))?;
        }
        Ok(Some(Self { path, _lock: lock }))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(&name[..2]).join(name)
    }

    /// Writes a file aside; it is there under its name after [`Self::put`].
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let aside = self.path.join("new").join(name);
        let written = open_new(&aside, true).and_then(|mut file| file.write_all(bytes));
        if written.is_err() {
            fs::remove_file(&aside).ok();
        }
        written
    }

    /// Puts a file that was written aside in its place.
    pub(crate) fn put(&self, name: &str) -> io::Result<()> {
        fs::rename(self.path.join("new").join(name), self.file(name))
    }

    /// Drops a file that was written aside.
    pub(crate) fn drop_aside(&self, name: &str) {
        fs::remove_file(self.path.join("new").join(name)).ok();
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.file(name))
    }

    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.file(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "a file of the cache can't be removed");
        }
    }

    /// Notes in a file since when its answer is stale.
    pub(crate) fn mark(&self, name: &str, stale: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.file(name))?.write_all_at(&stale.to_le_bytes(), format::STALE_AT)
    }

    pub(crate) fn peek(&self, name: &str) -> io::Result<Known> {
        let file = File::open(self.file(name))?;
        let bytes = file.metadata()?.len();
        format::peek(io::BufReader::new(file), bytes)
    }

    /// The names of all files in one of so many parts; what else lies there is not ours.
    pub(crate) fn names(&self, shard: u8) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path.join(format!("{shard:02x}"))) else { return Vec::new() };
        let ours = |name: &String| {
            let (key, rest) = name.split_at_checked(32).unwrap_or_default();
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
            name.len() == NAME && digits(key) && rest.strip_prefix('-').is_some_and(digits)
        };
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(ours).collect()
    }

    /// The names of a key's files.
    pub(crate) fn names_of(&self, key: KeyName) -> Vec<String> {
        let start = hex(&key);
        self.names(key[0]).into_iter().filter(|name| name.starts_with(&start)).collect()
    }

    /// The last purge that was noted.
    pub(crate) fn position(&self) -> i64 {
        let text = fs::read_to_string(self.path.join("position")).unwrap_or_default();
        text.trim().parse().unwrap_or(-1)
    }

    pub(crate) fn note_position(&self, position: i64) -> io::Result<()> {
        let aside = self.path.join("new").join("position");
        open_new(&aside, false)?.write_all(position.to_string().as_bytes())?;
        fs::rename(aside, self.path.join("position"))
    }

    /// The purges that an earlier process had not compared with all files; `None` if they can't be read.
    pub(crate) fn due(&self) -> Option<Vec<Due>> {
        match fs::read(self.path.join("due")) {
            Ok(text) => {
                let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
                lines.map(|line| serde_json::from_slice(line).ok()).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Vec::new()),
            Err(_) => None,
        }
    }

    pub(crate) fn add_due(&self, due: &Due) -> io::Result<()> {
        let mut line = serde_json::to_vec(due)?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.join("due"))?;
        file.write_all(&line)
    }

    pub(crate) fn clear_due(&self) {
        fs::remove_file(self.path.join("due")).ok();
    }
}

/// A name for a file of this key.
pub(crate) fn file_name(key: KeyName, number: u64) -> String {
    format!("{}-{number:016x}", hex(&key))
}

/// Where the numbers of files begin, so that no two processes give the same.
pub(crate) fn first_number(now: SystemTime) -> u64 {
    format::micros(Some(now))
}

/// Whether a file's name is one of this key.
pub(crate) fn is_of(name: &str, key: KeyName) -> bool {
    name.starts_with(&hex(&key))
}

fn hex(name: &KeyName) -> String {
    format!("{:032x}", u128::from_be_bytes(*name))
}

fn open_new(path: &Path, fresh: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if fresh {
        options.create_new(true)
    } else {
        options.create(true).truncate(true)
    };
    options.open(path)
}
