//! A process that works on jobs: what its parts share, and how they live and die together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use kernel::{Caller, Db, Problem, Tasks, Tx};
use tokio::sync::{mpsc, watch};

use crate::config::JobsConfig;
use crate::dispatch::Dispatch;
use crate::handler::{Handler, Stop};
use crate::model::{Hold, ProcessId};
use crate::{liveness, settle, store};

/// How many settlements may wait to be written.
const SETTLEMENTS: usize = 1024;

/// What the parts of a process share.
pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) config: JobsConfig,
    pub(crate) handlers: HashMap<&'static str, Arc<dyn Handler>>,
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) tasks: Tasks,
    id: Mutex<Option<ProcessId>>,
    holds: Mutex<HashMap<Hold, watch::Sender<Stop>>>,
}

impl Shared {
    /// Under which id the process is entered; `None` while it is not.
    pub(crate) fn id(&self) -> Option<ProcessId> {
        *locked(&self.id)
    }

    /// Enters the process under a new id.
    pub(crate) async fn enter(&self) -> Result<(), Problem> {
        let id = self.db.random().id(self.db.clock().now());
        let caller = Caller::platform("jobs");
        let register = async |tx: &Tx| Ok::<_, Problem>(store::register(tx, id).await?);
        self.db.write(&caller, register).boxed().await?;
        *locked(&self.id) = Some(id);
        Ok(())
    }

    /// The process was believed dead: its jobs are others' now. It goes on under a new id.
    pub(crate) fn lost(&self) {
        *locked(&self.id) = None;
        self.tell_all(Stop::Lost);
    }

    /// Notes an attempt that begins.
    pub(crate) fn hold(&self, hold: Hold) -> watch::Receiver<Stop> {
        let (sender, receiver) = watch::channel(Stop::No);
        locked(&self.holds).insert(hold, sender);
        receiver
    }

    /// Notes that an attempt is settled.
    pub(crate) fn release(&self, hold: Hold) {
        locked(&self.holds).remove(&hold);
    }

    /// Tells an attempt that its job was called off; `false` when it is not known here.
    pub(crate) fn tell(&self, hold: Hold, cancelled: bool) -> bool {
        let holds = locked(&self.holds);
        let Some(sender) = holds.get(&hold) else { return false };
        if cancelled {
            sender.send_if_modified(|stop| {
                let first = *stop == Stop::No;
                if first {
                    *stop = Stop::Cancelled;
                }
                first
            });
        }
        true
    }

    /// Tells all attempts to stop.
    pub(crate) fn tell_all(&self, reason: Stop) {
        for sender in locked(&self.holds).values() {
            sender.send_replace(reason);
        }
    }

    fn is_free(&self) -> bool {
        locked(&self.holds).is_empty()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that works on jobs.
pub(crate) struct Process(Arc<Shared>);

impl Process {
    pub(crate) fn new(db: Db, config: JobsConfig, handlers: &[Arc<dyn Handler>], tasks: Tasks) -> Self {
        let handlers: HashMap<_, _> = handlers.iter().map(|handler| (handler.kind(), Arc::clone(handler))).collect();
        let mut kinds: Vec<_> = handlers.keys().copied().collect();
        kinds.sort_unstable();
        Self(Arc::new(Shared { db, config, handlers, kinds, tasks, id: Mutex::default(), holds: Mutex::default() }))
    }

    /// Works until the process stops. Dropping it instead is sudden death: nothing is settled, and others take over.
    pub(crate) async fn run(self) {
        let shared = self.0;
        while let Err(problem) = shared.enter().await {
            tracing::warn!(?problem, "jobs wait for the database");
            if !shared.tasks.pause(Duration::from_secs(1)).await {
                return;
            }
        }
        let (settlements, queue) = mpsc::channel(SETTLEMENTS);
        let dispatch = Dispatch::new(Arc::clone(&shared), settlements);
        // The dispatcher ends when the process stops, the settler when all attempts are settled.
        let work = async { tokio::join!(dispatch.run(), settle::run(&shared, queue)) };
        tokio::select! {
            _ = work => {}
            () = liveness::run(&shared) => {}
        }
        if let Err(problem) = leave(&shared).await {
            tracing::warn!(?problem, "this process could not leave; the others will see that it is gone");
        }
    }
}

/// Leaves, unless something is still held: then the others had better see us die.
async fn leave(shared: &Shared) -> Result<(), Problem> {
    let Some(id) = shared.id().filter(|_| shared.is_free()) else { return Ok(()) };
    let caller = Caller::platform("jobs");
    let deregister = async |tx: &Tx| Ok::<_, Problem>(store::deregister(tx, id).await?);
    shared.db.write(&caller, deregister).boxed().await
}
