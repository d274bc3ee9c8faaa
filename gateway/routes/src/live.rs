//! The table in force, swapped while requests run.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::compiled::Compiled;

/// The routes in force. A request takes them once and keeps to them; a change drops nothing that runs.
#[derive(Debug, Default)]
pub struct LiveRoutes(ArcSwap<Compiled>);

impl LiveRoutes {
    pub fn new(routes: Compiled) -> Self {
        Self(ArcSwap::from_pointee(routes))
    }

    /// The routes of this moment.
    pub fn current(&self) -> Arc<Compiled> {
        self.0.load_full()
    }

    /// Puts others in force for requests that come after.
    pub fn replace(&self, routes: Compiled) {
        self.0.store(Arc::new(routes));
    }
}
