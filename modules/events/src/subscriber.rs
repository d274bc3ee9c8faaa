//! Who hears events, and the handle that delivers to them.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Db, Problem, Tasks, Tx};
use tokio::sync::Notify;

use crate::delivery::Delivery;
use crate::model::Event;
use crate::publish::BELL;

/// A part of the process that hears events, each one effectively once.
///
/// A new subscriber begins at the oldest event that is still in the log.
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// Its name for all time: its place in the log is kept under it.
    fn name(&self) -> &'static str;

    /// What it wants to hear; empty for everything.
    fn kinds(&self) -> &'static [&'static str];

    /// Does what the event asks for, through `tx` only: it commits together with the note that the event is done,
    /// and may be run again when it does not. It must be quick and never wait for the network; longer work is a job.
    ///
    /// An error leaves nothing behind. The event is tried again, with growing waits; meanwhile later events of its
    /// key wait and others go on.
    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem>;
}

/// The events of this installation: delivery, and the lists that people see. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    pub(crate) db: Db,
    subscribers: Vec<Arc<dyn Subscriber>>,
}

impl Events {
    /// Events without subscribers.
    pub fn new(db: Db) -> Self {
        Self { db, subscribers: Vec::new() }
    }

    /// Adds a subscriber; to be done before [`Self::start`].
    pub fn subscribe(&mut self, subscriber: Arc<dyn Subscriber>) {
        self.subscribers.push(subscriber);
    }

    /// Starts delivering: one loop a subscriber. Any number of processes may do so over one database; each event is
    /// still done once, because a subscriber's place in the log moves in the transaction that does the event.
    pub fn start(&self, tasks: &Tasks) {
        let mut bells = Vec::new();
        for subscriber in &self.subscribers {
            let bell = Arc::new(Notify::new());
            bells.push(Arc::clone(&bell));
            let delivery = Delivery::new(self.db.clone(), Arc::clone(subscriber));
            let its_tasks = tasks.clone();
            tasks.spawn(async move { delivery.run(&its_tasks, &bell).await });
        }
        let bell = self.db.signals().bell(BELL);
        let its_tasks = tasks.clone();
        // A bell of the kernel wakes one waiter; here are several.
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = its_tasks.stopping() => break,
                    () = bell.notified() => bells.iter().for_each(|bell| bell.notify_one()),
                }
            }
        });
    }
}
