//! What is kept on the disk: large answers, those that memory has no room for, and all of them at the end of the
//! process. Nothing here is waited for by the runtime; what fails is a miss.

mod folder;
mod format;
mod index;
mod opening;
mod purging;
mod reading;
mod writing;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    folder::{Due, Folder},
    index::Index,
    writing::Job,
};
use crate::{budget::Budget, clock::Clock};

/// The bounds of the disk.
#[derive(Clone, Debug)]
pub struct DiskConfig {
    /// The folder; ours is one in it.
    pub path: PathBuf,
    /// What files may take, in bytes.
    pub bytes: u64,
    /// Bodies from this size on are written when they come; others when memory has no room for them.
    pub written_from: u64,
}

/// What waits to be written at most.
const QUEUE: u64 = 32 << 20;
/// Files that are read at once.
const READERS: usize = 16;
/// Requests for one of so many keys take turns to look.
const STRIPES: usize = 256;

/// The part on disk. It opens in the background, and until then it is as if it weren't there.
#[derive(Debug)]
pub(crate) struct Disk {
    config: DiskConfig,
    clock: Clock,
    folder: OnceLock<Folder>,
    index: Index,
    jobs: mpsc::UnboundedSender<Job>,
    /// What waits to be written.
    queue: Budget,
    readers: Semaphore,
    turns: Box<[tokio::sync::Mutex<()>]>,
    /// Numbers for files.
    next: AtomicU64,
    due: Mutex<AllDue>,
    /// Purges that began or ended, and those under way.
    purges: AtomicU64,
    purging: AtomicU64,
    /// The last purge that was noted; none before the folder is open.
    position: watch::Sender<Option<i64>>,
    /// Whether answers of an earlier process may be used.
    serves: AtomicBool,
    /// Writing failed lately.
    fails: AtomicBool,
    /// And that was told.
    told: AtomicBool,
    closing: CancellationToken,
    tasks: TaskTracker,
    pub(crate) recalled: AtomicU64,
    pub(crate) broken: AtomicU64,
}

/// Purges with which files are still to be compared that are not in the index.
#[derive(Debug, Default)]
struct AllDue {
    /// All files are in the index.
    complete: bool,
    /// There were too many: whatever is not in the index goes.
    everything: bool,
    purges: Vec<Due>,
}

/// How purges stood at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(u64);

impl Disk {
    /// Opens the folder in the background. Must be called on a tokio runtime.
    pub(crate) fn start(config: DiskConfig, clock: Clock) -> Arc<Self> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let disk = Arc::new(Self {
            index: Index::new(config.bytes),
            folder: OnceLock::new(),
            jobs,
            queue: Budget::new(QUEUE),
            readers: Semaphore::new(READERS),
            turns: (0..STRIPES).map(|_| tokio::sync::Mutex::default()).collect(),
            next: AtomicU64::new(folder::first_number(clock.now())),
            due: Mutex::default(),
            purges: AtomicU64::new(0),
            purging: AtomicU64::new(0),
            position: watch::Sender::new(None),
            serves: AtomicBool::new(false),
            fails: AtomicBool::new(false),
            told: AtomicBool::new(false),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            recalled: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            clock,
            config,
        });
        disk.tasks.spawn(Arc::clone(&disk).work(queue));
        disk
    }

    /// Whether bodies of this length are written when they come.
    pub(crate) fn is_for(&self, length: usize) -> bool {
        length as u64 >= self.config.written_from
    }

    fn due(&self) -> MutexGuard<'_, AllDue> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the folder is open; the last purge that was noted in it, -1 if none was.
    pub(crate) async fn opened(&self) -> i64 {
        let mut position = self.position.subscribe();
        match position.wait_for(Option::is_some).await.map(|found| *found) {
            Ok(Some(position)) => position,
            _ => std::future::pending().await,
        }
    }

    /// Notes the last purge, and lets answers of an earlier process be used.
    pub(crate) async fn note(self: &Arc<Self>, position: i64) {
        if self.folder.get().is_none() {
            return;
        }
        let disk = Arc::clone(self);
        let noted = self.tasks.spawn_blocking(move || match disk.folder.get() {
            Some(folder) => folder.note_position(position),
            None => Ok(()),
        });
        match noted.await {
            Ok(Ok(())) => self.serves.store(true, Ordering::Release),
            Ok(Err(error)) => self.note_failure(Some(&error)),
            Err(_) => {}
        }
    }

    /// The bytes that files count, and the keys.
    pub(crate) fn size(&self) -> (u64, usize) {
        self.index.size()
    }

    /// Counts of the disk, for [`crate::Stats`].
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.recalled.load(Ordering::Relaxed), self.broken.load(Ordering::Relaxed))
    }
}
