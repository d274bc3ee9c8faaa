//! Answers on their way to the disk, one job after the other.

use std::{
    io,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use tokio::sync::mpsc;

use super::{
    Disk, Watch,
    folder::KeyName,
    format,
    index::{OnDisk, Standing},
};
use crate::{budget::Share, key::Key, memory::Memory, stored::Stored, vary::Selection};

/// Jobs that are done in one go.
const BATCH: usize = 64;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Job {
    Write(Arc<OnDisk>, Arc<Stored>, Share),
    Remove(Arc<OnDisk>),
    /// Removes what the index does not know of this key, as long as it does not know all.
    Clear(KeyName),
    /// Nothing comes after it.
    End,
}

impl Disk {
    /// How purges stand: for [`Self::keep`], before the answer is looked at.
    pub(crate) fn watch(&self) -> Watch {
        Watch(self.purges.load(Ordering::SeqCst))
    }

    /// Has an answer written that was stored, or that memory has no room for. It is dropped if the queue is full, or if
    /// it may have been purged since `watch`.
    pub(crate) fn keep(&self, key: &Arc<Key>, stored: &Arc<Stored>, watch: Watch) {
        if self.folder.get().is_none() || self.fails.load(Ordering::Relaxed) || self.closing.is_cancelled() {
            return;
        }
        let Some(share) = self.queue.share(stored.size() as u64) else { return };
        let Some((file, gone)) = self.admit(key, stored) else { return };
        self.remove(gone);
        if self.watch().0 != watch.0 || self.purging.load(Ordering::SeqCst) > 0 {
            let gone = self.index.take_out(file.key_name, |other| other.name == file.name);
            self.remove(gone);
            return;
        }
        self.send(Job::Write(file, Arc::clone(stored), share));
    }

    /// A place in the index for an answer that is worth it and not there already, and what goes for it.
    fn admit(&self, key: &Arc<Key>, stored: &Arc<Stored>) -> Option<(Arc<OnDisk>, Vec<Arc<OnDisk>>)> {
        let file = OnDisk::coming(key, stored, self.next.fetch_add(1, Ordering::Relaxed));
        let known = self.index.has(file.key_name, &file.selection, file.received);
        if known || !stored.head.freshness.is_usable(self.clock.now()) {
            return None;
        }
        let file = Arc::new(file);
        let gone = self.index.add(&file);
        let refused = gone.iter().any(|one| Arc::ptr_eq(one, &file));
        if refused {
            self.remove(gone);
            return None;
        }
        Some((file, gone))
    }

    /// Forgets what is there for a request like this, but the answer that came then.
    pub(crate) fn outdate(&self, key: &Key, selection: &Selection, but: Option<std::time::SystemTime>) {
        let name = super::folder::name_of(key);
        let old = |file: &OnDisk| file.selection == *selection && Some(file.received) != but;
        self.remove(self.index.take_out(name, old));
        if !self.due().complete && self.folder.get().is_some() {
            self.send(Job::Clear(name));
        }
    }

    pub(super) fn remove(&self, files: Vec<Arc<OnDisk>>) {
        files.into_iter().for_each(|file| self.send(Job::Remove(file)));
    }

    fn send(&self, job: Job) {
        // After the end nobody listens, and what is left lies in files that the next process looks through.
        self.jobs.send(job).ok();
    }

    /// Opens the folder, then does jobs until the end.
    pub(super) async fn work(self: Arc<Self>, mut jobs: mpsc::UnboundedReceiver<Job>) {
        if !self.open().await {
            return;
        }
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            let ends = batch.iter().any(|job| matches!(job, Job::End));
            let (disk, todo) = (Arc::clone(&self), std::mem::take(&mut batch));
            let done = self.tasks.spawn_blocking(move || todo.into_iter().for_each(|job| disk.perform(job)));
            if done.await.is_err() || ends {
                return;
            }
        }
    }

    fn perform(&self, job: Job) {
        let Some(folder) = self.folder.get() else { return };
        match job {
            Job::Write(file, stored, _share) => {
                if let Err(error) = self.write(&file, &stored) {
                    self.discard(&file);
                    self.note_failure(Some(&error));
                }
            }
            Job::Remove(file) => self.unlink(&file),
            Job::Clear(key) => {
                let unknown = |name: &String| self.index.select(key, |file| file.name == *name).is_none();
                folder.names_of(key).iter().filter(|name| unknown(name)).for_each(|name| folder.remove(name));
            }
            Job::End => {}
        }
    }

    /// Writes a file, unless it is gone meanwhile.
    fn write(&self, file: &OnDisk, stored: &Stored) -> io::Result<()> {
        let Some(folder) = self.folder.get() else { return Ok(()) };
        if *file.standing.lock().unwrap_or_else(PoisonError::into_inner) == Standing::Gone {
            return Ok(());
        }
        folder.write(&file.name, &format::encode(&file.key, stored)?)?;
        let mut standing = file.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if *standing == Standing::Gone {
            folder.drop_aside(&file.name);
            return Ok(());
        }
        folder.put(&file.name)?;
        *standing = Standing::There;
        let stale = file.stale.load(Ordering::Acquire);
        if stale > 0 {
            folder.mark(&file.name, stale)?;
        }
        self.note_failure(None);
        Ok(())
    }

    /// Removes a file for good. It blocks.
    pub(super) fn unlink(&self, file: &OnDisk) {
        let mut standing = file.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if *standing == Standing::There
            && let Some(folder) = self.folder.get()
        {
            folder.remove(&file.name);
        }
        *standing = Standing::Gone;
    }

    /// Warns once when the disk fails, and tells when it works again. While it fails, only memory is used; every look
    /// at the figures lets one answer try again.
    pub(super) fn note_failure(&self, failure: Option<&io::Error>) {
        match (failure, self.told.swap(failure.is_some(), Ordering::Relaxed)) {
            (Some(error), false) => {
                tracing::warn!(%error, "the cache can't write to its folder, and keeps to memory");
            }
            (None, true) => tracing::info!("the cache writes to its folder again"),
            _ => {}
        }
        self.fails.store(failure.is_some(), Ordering::Relaxed);
    }

    /// Lets the next answer try the disk again.
    pub(crate) fn try_again(&self) {
        self.fails.store(false, Ordering::Relaxed);
    }

    /// Writes what waits and what is in memory, and lets the folder go.
    pub(crate) async fn close(self: Arc<Self>, memory: &Memory) {
        self.closing.cancel();
        self.send(Job::End);
        self.tasks.close();
        self.tasks.wait().await;
        let all = memory.all();
        let disk = Arc::clone(&self);
        let flush = move || {
            for (key, stored) in all {
                let Some((file, gone)) = disk.admit(&key, &stored) else { continue };
                gone.iter().for_each(|old| disk.unlink(old));
                if let Err(error) = disk.write(&file, &stored) {
                    disk.discard(&file);
                    return disk.note_failure(Some(&error));
                }
            }
        };
        if self.folder.get().is_some() {
            self.tasks.spawn_blocking(flush).await.ok();
        }
    }
}
