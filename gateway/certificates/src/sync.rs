//! Keeps this machine's snapshot in step with the store: certificates of all replicas, and those withdrawn.

use std::{
    panic,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    serve::Managed,
    snapshot::{Snapshot, SnapshotError},
    store::{CertificateStore, Issued},
};

/// Certificates fetched at once.
const BATCH: u32 = 500;
/// Files written at once.
const WRITERS: usize = 16;

/// Copies certificates from the store to the snapshot.
pub struct Syncer {
    store: Arc<dyn CertificateStore>,
    snapshot: Arc<Snapshot>,
    managed: Arc<Managed>,
    cursor: Arc<Mutex<Option<u64>>>,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    pub written: usize,
    pub removed: usize,
    /// The store or the disk failed; it goes on from there at the next round.
    pub failed: bool,
}

impl Syncer {
    /// Goes on from where the snapshot says that it is.
    pub fn new(store: Arc<dyn CertificateStore>, snapshot: Arc<Snapshot>, managed: Arc<Managed>) -> Self {
        Self { store, snapshot, managed, cursor: Arc::default() }
    }

    /// Copies every `poll`, and when `changed` says so, until `stop`.
    pub async fn run<F: Future<Output = ()>>(&self, poll: Duration, changed: impl Fn() -> F, stop: CancellationToken) {
        let mut told = false;
        loop {
            let failed = self.round().await.failed;
            if failed && !told {
                tracing::warn!("the snapshot of certificates is not in step with the store; what is held is served");
            }
            told = failed;
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed(), if !failed => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    }

    /// Copies all that is new.
    pub async fn round(&self) -> SyncReport {
        let mut report = SyncReport::default();
        loop {
            let Some(cursor) = self.cursor().await else {
                report.failed = true;
                return report;
            };
            let Ok(batch) = self.store.issued_since(cursor, BATCH).await else {
                report.failed = true;
                return report;
            };
            let Some(last) = batch.last().map(|issued| issued.version) else { return report };
            let snapshot = Arc::clone(&self.snapshot);
            let copied = tokio::task::spawn_blocking(move || copy(&snapshot, batch, last)).await;
            match copied {
                Ok(Ok(batch)) => {
                    for issued in &batch {
                        self.managed.forget(&issued.name);
                    }
                    report.written += batch.iter().filter(|issued| issued.sealed.is_some()).count();
                    report.removed += batch.iter().filter(|issued| issued.sealed.is_none()).count();
                    *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "the snapshot of certificates can't be written");
                    report.failed = true;
                    return report;
                }
                Err(_) => {
                    report.failed = true;
                    return report;
                }
            }
        }
    }

    async fn cursor(&self) -> Option<u64> {
        let known = *self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() {
            return known;
        }
        let snapshot = Arc::clone(&self.snapshot);
        let read = tokio::task::spawn_blocking(move || snapshot.cursor()).await.ok()?;
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Some(read)
    }
}

/// Writes a batch, then the cursor. The disk syncs many files at once in hardly more time than one.
fn copy(snapshot: &Snapshot, batch: Vec<Issued>, last: u64) -> Result<Vec<Issued>, SnapshotError> {
    let part = batch.len().div_ceil(WRITERS).max(1);
    thread::scope(|scope| {
        let writers: Vec<_> = batch.chunks(part).map(|part| scope.spawn(|| copy_part(snapshot, part))).collect();
        writers.into_iter().try_for_each(|writer| writer.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })?;
    snapshot.set_cursor(last)?;
    Ok(batch)
}

fn copy_part(snapshot: &Snapshot, part: &[Issued]) -> Result<(), SnapshotError> {
    part.iter().try_for_each(|issued| match &issued.sealed {
        Some(sealed) => snapshot.write(&issued.name, sealed),
        None => snapshot.remove(&issued.name),
    })
}
