//! Purging what is on the disk, also what the index does not know yet.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::SystemTime,
};

use super::{
    Disk,
    folder::Due,
    format,
    index::{OnDisk, Standing},
};
use crate::purge::{Purge, PurgeMode};

/// The most purges that wait for files to be looked through; then all of those go.
const MOST_DUE: usize = 10_000;

/// A purge under way; nothing that may be covered is written meanwhile.
pub(crate) struct Purging<'a>(&'a Disk);

impl Drop for Purging<'_> {
    fn drop(&mut self) {
        self.0.purges.fetch_add(1, Ordering::SeqCst);
        self.0.purging.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Disk {
    /// Begins a purge of memory and disk.
    pub(crate) fn begin_purge(&self) -> Purging<'_> {
        self.purging.fetch_add(1, Ordering::SeqCst);
        self.purges.fetch_add(1, Ordering::SeqCst);
        Purging(self)
    }

    /// Purges what is on the disk, for good when this returns, even if the process is killed then. Returns what it knew
    /// of that.
    pub(crate) async fn purge(self: &Arc<Self>, purge: &Purge, mode: PurgeMode, now: SystemTime) -> Vec<Arc<OnDisk>> {
        let (complete, at) = (self.due().complete, format::micros(Some(now)));
        if complete && matches!(purge, Purge::Key(_)) && self.index.covered(purge).is_empty() {
            return Vec::new();
        }
        let (disk, purge) = (Arc::clone(self), purge.clone());
        let done = self.tasks.spawn_blocking(move || disk.purge_blocking(&purge, mode, at));
        done.await.unwrap_or_default()
    }

    fn purge_blocking(&self, purge: &Purge, mode: PurgeMode, at: u64) -> Vec<Arc<OnDisk>> {
        self.remember(Due { purge: purge.clone(), mode, at });
        let covered = self.index.covered(purge);
        for file in &covered {
            match mode {
                PurgeMode::Hard => self.discard(file),
                PurgeMode::Soft => self.mark(file, at),
            }
        }
        covered
    }

    /// Keeps a purge for files that the index does not know yet.
    fn remember(&self, one: Due) {
        let mut due = self.due();
        if due.complete || due.everything {
            return;
        }
        if let Some(folder) = self.folder.get()
            && let Err(error) = folder.add_due(&one)
        {
            tracing::debug!(%error, "a purge can't be noted");
            due.everything = true;
        }
        due.purges.push(one);
        if due.purges.len() > MOST_DUE {
            due.everything = true;
            due.purges = Vec::new();
        }
    }

    /// Takes a file out of the index and removes it. It blocks.
    pub(super) fn discard(&self, file: &OnDisk) {
        self.index.take_out(file.key_name, |other| other.name == file.name);
        self.unlink(file);
    }

    /// Makes an answer stale. It blocks.
    pub(super) fn mark(&self, file: &OnDisk, at: u64) {
        file.stale.store(at, Ordering::Release);
        let standing = file.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let marked = match self.folder.get() {
            Some(folder) if *standing == Standing::There => folder.mark(&file.name, at),
            _ => Ok(()),
        };
        drop(standing);
        if let Err(error) = marked {
            tracing::debug!(%error, "a file of the cache can't be marked as stale");
            self.discard(file);
        }
    }
}
