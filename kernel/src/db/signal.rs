//! Wake-ups inside the process, sent after a commit. A poll is always the floor beneath them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Named wake-ups. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<Mutex<HashMap<&'static str, Arc<Notify>>>>);

impl Signals {
    /// The bell of this name; wait on it with `notified()`. One waiter keeps one wake-up for later.
    pub fn bell(&self, name: &'static str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(name).or_default())
    }

    /// Rings the bell of this name.
    pub fn ring(&self, name: &'static str) {
        self.bell(name).notify_one();
    }
}
