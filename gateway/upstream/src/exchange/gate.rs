//! The waker of a connection that is driven by whoever uses it.
//!
//! A connection is not a task of its own: the task that sends a request polls it, which saves a switch of tasks in
//! each direction. hyper keeps the waker of the last poll in several places. This one stays the same for the life of
//! the connection, and passes a wake on to the task that uses it now, if there is one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use futures_util::task::AtomicWaker;

#[derive(Debug, Default)]
struct Inner {
    task: AtomicWaker,
    muted: AtomicBool,
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.muted.load(Ordering::Acquire) {
            self.task.wake();
        }
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    inner: Arc<Inner>,
    waker: Waker,
}

impl Gate {
    pub(super) fn new() -> Self {
        let inner = Arc::<Inner>::default();
        let waker = Waker::from(Arc::clone(&inner));
        Self { inner, waker }
    }

    /// Runs something that is to wake this task.
    pub(super) fn open<T>(&self, cx: &Context<'_>, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.inner.task.register(cx.waker());
        act(&mut Context::from_waker(&self.waker))
    }

    /// Runs something whose wakes this task need not hear, for it polls the connection before it waits.
    pub(super) fn muted<T>(&self, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.inner.muted.store(true, Ordering::Release);
        let outcome = act(&mut Context::from_waker(Waker::noop()));
        self.inner.muted.store(false, Ordering::Release);
        outcome
    }

    /// Nobody uses the connection: runs something that wakes nobody.
    pub(super) fn closed<T>(&self, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        drop(self.inner.task.take());
        act(&mut Context::from_waker(&self.waker))
    }
}
