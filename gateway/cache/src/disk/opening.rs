//! Opening the folder, and looking through what an earlier process left in it, in the background.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Disk, folder::Folder, index::OnDisk};
use crate::purge::PurgeMode;

/// How often another process is asked to let go of the folder.
const AGAIN: Duration = Duration::from_secs(1);

impl Disk {
    /// Opens the folder as soon as no other process holds it; `false` if it can't be used, or the process ends first.
    pub(super) async fn open(self: &Arc<Self>) -> bool {
        loop {
            let path = self.config.path.clone();
            match self.tasks.spawn_blocking(move || Folder::open(&path)).await {
                Ok(Ok(Some(folder))) => {
                    self.begin(folder);
                    return true;
                }
                Ok(Ok(None)) => tracing::debug!("another process holds the folder of the cache"),
                Ok(Err(error)) => {
                    let path = self.config.path.display();
                    tracing::warn!(%error, %path, "the cache can't use its folder, and keeps to memory");
                    return false;
                }
                Err(_) => return false,
            }
            tokio::select! {
                () = self.closing.cancelled() => return false,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    fn begin(self: &Arc<Self>, folder: Folder) {
        let position = folder.position();
        {
            let mut due = self.due();
            // Those of this process came after those of the earlier one.
            match folder.due() {
                Some(earlier) => {
                    due.purges.splice(0..0, earlier);
                }
                None => due.everything = true,
            }
            self.folder.set(folder).ok();
        }
        let disk = Arc::clone(self);
        self.tasks.spawn_blocking(move || disk.look_through());
        self.position.send_replace(Some(position));
    }

    /// Puts all files in the index that no purge covers. It blocks.
    fn look_through(&self) {
        let Some(folder) = self.folder.get() else { return };
        for shard in 0..=u8::MAX {
            for name in folder.names(shard) {
                if self.closing.is_cancelled() {
                    return;
                }
                let found = match folder.peek(&name) {
                    Ok(known) => OnDisk::found(name.clone(), known),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(_) => None,
                };
                if let Some(file) = found {
                    self.find(file);
                } else {
                    tracing::debug!(name, "a file of the cache is of no use");
                    self.broken.fetch_add(1, Ordering::Relaxed);
                    folder.remove(&name);
                }
            }
        }
        let mut due = self.due();
        due.complete = true;
        due.purges = Vec::new();
        due.everything = false;
        folder.clear_due();
        let (bytes, keys) = self.index.size();
        tracing::debug!(bytes, keys, "the cache knows what its folder holds");
    }

    /// Takes in a file of an earlier process, unless a purge covers it or it is known. It blocks.
    pub(super) fn find(&self, file: OnDisk) {
        if self.index.select(file.key_name, |known| known.name == file.name).is_some() {
            return;
        }
        let file = Arc::new(file);
        let gone = self.index.add(&file);
        let refused = gone.iter().any(|one| Arc::ptr_eq(one, &file));
        gone.iter().for_each(|file| self.unlink(file));
        if refused {
            return;
        }
        // After it was added: a purge at the same time sees it in the index, or is seen here.
        let due = self.due();
        if due.complete {
            return;
        }
        let covers: Vec<(PurgeMode, u64)> = due
            .purges
            .iter()
            .filter(|due| due.purge.covers_tagged(&file.key, &file.tags))
            .map(|due| (due.mode, due.at))
            .collect();
        let everything = due.everything;
        drop(due);
        if everything || covers.iter().any(|(mode, _)| *mode == PurgeMode::Hard) {
            self.discard(&file);
        } else if let Some((_, at)) = covers.last() {
            self.mark(&file, *at);
        }
    }
}
