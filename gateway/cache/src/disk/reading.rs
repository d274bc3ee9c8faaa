//! Answers back from the disk.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http::HeaderMap;
use tokio::time::timeout;

use super::{Disk, folder, format, index::OnDisk};
use crate::{budget::Budget, key::Key, memory::Memory, stored::Stored};

/// A disk that takes longer is as good as none.
const PATIENCE: Duration = Duration::from_secs(2);

impl Disk {
    /// Brings the answer that a request selects back to memory, if the disk has it. What is held meanwhile comes out of
    /// the budget of answers under way.
    pub(crate) async fn recall(
        self: &Arc<Self>,
        key: &Arc<Key>,
        request: &HeaderMap,
        memory: &Memory,
        budget: &Budget,
    ) {
        if !self.serves.load(Ordering::Acquire) {
            return;
        }
        let name = folder::name_of(key);
        let looks = !self.due().complete;
        if !looks && self.index.select(name, |file| file.selection.matches(request)).is_none() {
            return;
        }
        if timeout(PATIENCE, self.recall_in_turn(key, request, memory, budget)).await.is_err() {
            tracing::debug!("the disk of the cache is slow");
        }
    }

    async fn recall_in_turn(self: &Arc<Self>, key: &Arc<Key>, request: &HeaderMap, memory: &Memory, budget: &Budget) {
        let name = folder::name_of(key);
        let _turn = self.turns[usize::from(name[1]) % self.turns.len()].lock().await;
        let is_back = || memory.get(key).is_some_and(|found| found.select(request).is_some());
        let Ok(_reader) = self.readers.acquire().await else { return };
        if is_back() {
            return;
        }
        let selected = || self.index.select(name, |file| file.selection.matches(request));
        let found = match selected() {
            None if !self.due().complete => {
                let disk = Arc::clone(self);
                if self.tasks.spawn_blocking(move || disk.look_for(name)).await.is_err() {
                    return;
                }
                selected()
            }
            found => found,
        };
        let Some(file) = found.filter(|file| file.is_there() && *file.key == **key) else { return };
        let Some(_share) = budget.share(file.bytes) else { return };
        let (disk, wanted) = (Arc::clone(self), Arc::clone(&file));
        let Ok(Some(stored)) = self.tasks.spawn_blocking(move || disk.read(&wanted)).await else { return };
        let stored = Arc::new(stored);
        if let Some(purged) = file.purged() {
            stored.head.purge_softly(purged);
        }
        memory.put(key, Arc::clone(&stored));
        self.recalled.fetch_add(1, Ordering::Relaxed);
        // Looked at again, so that a purge at the same time either sees the answer in memory or is seen here.
        if !file.is_there() {
            memory.take_out(key, &stored);
        } else if let Some(purged) = file.purged() {
            stored.head.purge_softly(purged);
        }
    }

    /// Takes in the files of a key that the index does not know yet.
    fn look_for(&self, key: folder::KeyName) {
        let Some(folder) = self.folder.get() else { return };
        for name in folder.names_of(key) {
            let known = folder.peek(&name).ok();
            if let Some(file) = known.and_then(|known| OnDisk::found(name, known)) {
                self.find(file);
            }
        }
    }

    /// The answer of a file; a broken one is removed.
    fn read(&self, file: &OnDisk) -> Option<Stored> {
        let read = self.folder.get()?.read(&file.name).and_then(format::decode).and_then(|(known, stored)| {
            let same = known.key == file.key && known.selection == file.selection && *known.tags == *file.tags;
            if same { Ok(stored) } else { Err(io::Error::from(io::ErrorKind::InvalidData)) }
        });
        match read {
            Ok(stored) => Some(stored),
            Err(error) => {
                if file.is_there() {
                    tracing::debug!(%error, name = file.name, "a file of the cache is of no use");
                    self.broken.fetch_add(1, Ordering::Relaxed);
                }
                self.discard(file);
                None
            }
        }
    }
}
