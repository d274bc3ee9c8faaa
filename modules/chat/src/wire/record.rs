//! Requests over the OpenAI wire go on record beside their answers, and many of them in one unit of work: the writing of
//! one costs more than the relaying of its first tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit::Entry;
use kernel::{Caller, Kind, Problem, Tasks, TenantId, Tx};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::Chat;

/// The most that may wait for a database that does not write; beyond it, requests are refused, not left out.
const MAX_WAITING: usize = 20_000;
/// The pause after a write that failed.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<(Caller, Entry)>,
    /// Nobody gathers any more: the process stops, and each entry is written by itself.
    closed: bool,
}

/// What is still to be written.
#[derive(Debug, Default)]
pub(crate) struct Record {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

impl Record {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chat {
    /// Puts a request on record, soon.
    ///
    /// # Errors
    /// 503 while too much waits to be written.
    pub(super) fn note(&self, caller: Caller, entry: Entry) -> Result<(), Problem> {
        let record = self.record();
        let mut waiting = record.waiting();
        if waiting.entries.len() >= MAX_WAITING {
            let detail = "Requests can't be put on record at the moment; try again in a while.";
            return Err(Problem::new(Kind::Unavailable, "chat.record_full", detail).after(Duration::from_secs(2)));
        }
        waiting.entries.push((caller, entry));
        if let (true, Some(tasks)) = (waiting.closed, self.tasks()) {
            let chat = self.clone();
            tasks.spawn(async move {
                chat.write_waiting().await;
            });
        }
        drop(waiting);
        record.bell.notify_one();
        Ok(())
    }

    /// Writes what is noted, until the process stops.
    pub(crate) async fn write_record(self, tasks: Tasks) {
        let gather = Duration::from_millis(self.config().gather_ms);
        loop {
            tokio::select! {
                () = self.record().bell.notified() => sleep(gather).await,
                () = tasks.stopping() => {
                    self.record().waiting().closed = true;
                    self.write_waiting().await;
                    return;
                }
            }
            if !self.write_waiting().await {
                sleep(PAUSE).await;
                self.record().bell.notify_one();
            }
        }
    }

    /// Writes what waits, every tenant's in a unit of its own; whether all of it is on disk.
    async fn write_waiting(&self) -> bool {
        let mut tenants: HashMap<TenantId, Vec<(Caller, Entry)>> = HashMap::new();
        for (caller, entry) in std::mem::take(&mut self.record().waiting().entries) {
            tenants.entry(caller.tenant).or_default().push((caller, entry));
        }
        let mut whole = true;
        for (tenant, entries) in tenants {
            let write = async |tx: &Tx| {
                for (caller, entry) in &entries {
                    audit::append(tx, caller, entry.clone()).await?;
                }
                Ok::<_, Problem>(())
            };
            if let Err(problem) = self.db().write(&Caller::system("chat", tenant), write).await {
                tracing::error!(?problem, requests = entries.len(), "requests can't be put on record yet");
                self.record().waiting().entries.extend(entries);
                whole = false;
            }
        }
        whole
    }
}
