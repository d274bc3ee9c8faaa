//! The safety net: a visitor asks for a name that is wanted and has no certificate yet. However many ask, there is one
//! order, and each waits a bounded time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::{manager::Manager, name::Name, store::Issued};

/// Names waited for at once.
const WAITED: usize = 1_000;
/// How often the store is asked whether another replica obtained it.
const LOOK: Duration = Duration::from_millis(200);

type Waiting = Shared<BoxFuture<'static, Option<Arc<Issued>>>>;

/// Obtains certificates while visitors wait.
pub struct OnDemand {
    manager: Arc<Manager>,
    waiting: Arc<Mutex<HashMap<Name, Waiting>>>,
}

impl OnDemand {
    /// Obtains through `manager`, which must be running.
    pub fn new(manager: Arc<Manager>) -> Self {
        Self { manager, waiting: Arc::default() }
    }

    /// Waits for the certificate of a name, at most as long as the settings say. None at once: the name is not wanted,
    /// or failed and waits for its next try, so that visitors don't spend the CA's patience.
    pub async fn obtain(&self, name: &Name) -> Option<Arc<Issued>> {
        let wait = self.manager.on_demand_wait();
        if wait.is_zero() {
            return None;
        }
        tokio::time::timeout(wait, self.join(name)?).await.ok()?
    }

    /// The one wait for this name, begun if nobody waits.
    fn join(&self, name: &Name) -> Option<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = waiting.get(name) {
            return Some(shared.clone());
        }
        if waiting.len() >= WAITED {
            return None;
        }
        let done = Done { name: name.clone(), waiting: Arc::downgrade(&self.waiting) };
        let (manager, name) = (Arc::clone(&self.manager), name.clone());
        let shared = async move {
            let found = tokio::time::timeout(manager.on_demand_wait(), wait_for(&manager, &done.name)).await;
            drop(done);
            found.ok().flatten().map(Arc::new)
        };
        let shared = shared.boxed().shared();
        waiting.insert(name, shared.clone());
        Some(shared)
    }
}

async fn wait_for(manager: &Manager, name: &Name) -> Option<Issued> {
    let store = &manager.shared.store;
    let mut brought_forward = false;
    loop {
        let settled = manager.settled.notified();
        let issued = store.certificate(name).await.ok()?.filter(|issued| issued.sealed.is_some());
        if issued.is_some() {
            return issued;
        }
        let record = store.record(name).await.ok()??;
        if !record.wanted || record.progress.failure.is_some() {
            return None;
        }
        if !brought_forward {
            manager.try_now(name, false).await.ok()?;
            brought_forward = true;
        }
        tokio::select! {
            () = settled => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Takes the wait off the list when it ends, or when everybody has left.
struct Done {
    name: Name,
    waiting: Weak<Mutex<HashMap<Name, Waiting>>>,
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.upgrade() {
            let ended = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
            drop(ended);
        }
    }
}
