//! What the two ends of one connection know of each other: the byte stream below the HTTP parser, the service above.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Context,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::refusal::Refusal;

/// A request under way: until its answer is sent or given up, or its client has left.
#[derive(Debug)]
pub(crate) struct Flight(Arc<Exchange>);

impl Flight {
    pub(crate) fn exchange(&self) -> &Exchange {
        &self.0
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.finished();
    }
}

/// Shared by the guard, the service and the driver of one connection.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Requests that reached the service.
    called: AtomicU64,
    /// Answers that were sent or given up.
    done: AtomicU64,
    /// The number of the request that stands for a refused head. HTTP/1 numbers are exact, for the parser calls the
    /// service once a head and in order; no client can forge a position.
    refused: OnceLock<(u64, Refusal)>,
    /// The last upgrade decided: the number of its request, and in the lowest bit whether it was accepted.
    upgrade: AtomicU64,
    /// The guard, while it waits for that.
    undecided: AtomicWaker,
    started: Instant,
    /// When an answer was finished last, in nanoseconds since the start.
    last_done: AtomicU64,
    /// HTTP/1: the client is quiet and has everything; the parser and its buffers may go until it asks again.
    rests: AtomicBool,
    /// HTTP/2: for each answer under way, since when the client lets it wait.
    waits: Mutex<Waits>,
}

#[derive(Debug, Default)]
struct Waits {
    since: Vec<Option<Instant>>,
    free: Vec<usize>,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            called: AtomicU64::new(0),
            done: AtomicU64::new(0),
            refused: OnceLock::new(),
            upgrade: AtomicU64::new(0),
            undecided: AtomicWaker::new(),
            started: Instant::now(),
            last_done: AtomicU64::new(0),
            rests: AtomicBool::new(false),
            waits: Mutex::default(),
        }
    }

    /// A request reached the service: its number, and what tells when it is over.
    pub(crate) fn call(self: &Arc<Self>) -> (u64, Flight) {
        let number = self.called.fetch_add(1, Ordering::AcqRel) + 1;
        (number, Flight(Arc::clone(self)))
    }

    /// Why the head with this number is refused, if it is.
    pub(crate) fn refused(&self, number: u64) -> Option<Refusal> {
        self.refused.get().filter(|(refused, _)| *refused == number).map(|(_, refusal)| *refusal)
    }

    /// The head with this number, counted from 1, is refused.
    pub(crate) fn refuse(&self, number: u64, refusal: Refusal) {
        if self.refused.set((number, refusal)).is_err() {
            tracing::debug!(?refusal, "the connection has ended with an earlier refusal");
        }
    }

    fn finished(&self) {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last_done.store(now, Ordering::Release);
        self.done.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    pub(crate) fn called(&self) -> u64 {
        self.called.load(Ordering::Acquire)
    }

    /// How long nothing has been under way since that many requests; none while one is.
    pub(crate) fn quiet_since(&self, requests: u64) -> Option<Duration> {
        let last_done = Duration::from_nanos(self.last_done.load(Ordering::Acquire));
        (self.done() >= requests).then(|| self.started.elapsed().saturating_sub(last_done))
    }

    /// Whether a request is under way.
    pub(crate) fn busy(&self) -> bool {
        self.called() > self.done()
    }

    /// Whether the connection may rest. Told anew with each look at it.
    pub(crate) fn set_rests(&self, rests: bool) {
        self.rests.store(rests, Ordering::Release);
    }

    pub(crate) fn rests(&self) -> bool {
        self.rests.load(Ordering::Acquire)
    }

    /// The request with this number asked for an upgrade and has its answer.
    pub(crate) fn decide_upgrade(&self, number: u64, accepted: bool) {
        self.upgrade.store(number << 1 | u64::from(accepted), Ordering::Release);
        self.undecided.wake();
    }

    /// Whether the request with this number was upgraded; none while it has no answer, which then wakes the task.
    pub(crate) fn upgrade(&self, number: u64, cx: &Context<'_>) -> Option<bool> {
        self.undecided.register(cx.waker());
        let decided = self.upgrade.load(Ordering::Acquire);
        (decided >> 1 == number).then_some(decided & 1 == 1)
    }

    /// An answer begins to wait for the client.
    pub(crate) fn wait(&self) -> usize {
        let mut waits = self.waits();
        let now = Some(Instant::now());
        if let Some(slot) = waits.free.pop() {
            waits.since[slot] = now;
            return slot;
        }
        waits.since.push(now);
        waits.since.len() - 1
    }

    /// The answer waits for the client again (`true`) or for the application.
    pub(crate) fn set_wait(&self, slot: usize, waits: bool) {
        self.waits().since[slot] = waits.then(Instant::now);
    }

    pub(crate) fn end_wait(&self, slot: usize) {
        let mut waits = self.waits();
        waits.since[slot] = None;
        waits.free.push(slot);
    }

    /// How long the client has let an answer wait, at most.
    pub(crate) fn longest_wait(&self) -> Duration {
        let oldest = self.waits().since.iter().flatten().min().copied();
        oldest.map(|since| since.elapsed()).unwrap_or_default()
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
