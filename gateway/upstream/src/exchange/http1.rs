//! HTTP/1.1: connections that are driven by the request which uses them, and the shelf on which they wait.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::poll_fn;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::coop::unconstrained,
    time::{Instant, timeout_at},
};

use super::{Failure, HeadWatch, Outgoing, Timer, gate::Gate};
use crate::{
    config::Breaker,
    connect::{Io, Strings},
    error::{Fault, UpstreamError},
};

/// The head of an answer may have so many bytes and fields.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 200;

/// hyper's connection with upgrades, whose type has no name.
type Drive = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// One connection.
pub(crate) struct Http1 {
    drive: Drive,
    send: SendRequest<Outgoing>,
    gate: Gate,
    /// The driver has ended and must not be polled again.
    ended: bool,
    pub(crate) timer: Timer,
    pub(crate) strings: Arc<Strings>,
    idle_since: Instant,
}

impl Http1 {
    pub(crate) async fn new(io: Io) -> Result<Box<Self>, Fault> {
        let strings = io.strings();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS);
        let made = builder.handshake(TokioIo::new(io)).await;
        let (send, connection) = made.map_err(|error| Fault::caused(UpstreamError::Connect, &error))?;
        let drive = Box::pin(connection.with_upgrades());
        let (gate, timer, idle_since) = (Gate::new(), Timer::default(), Instant::now());
        Ok(Box::new(Self { drive, send, gate, ended: false, timer, strings, idle_since }))
    }

    /// Reads and writes what can be read and written.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = self.gate.open(cx, |cx| self.drive.as_mut().poll(cx)).is_ready();
        }
    }

    /// Drives the connection until hyper has let go of it, as it does after a 101.
    pub(crate) fn released(&mut self, cx: &mut Context<'_>) -> bool {
        self.drive(cx);
        self.ended
    }

    /// The next part of an answer's body that has been read.
    pub(crate) fn read(&self, body: &mut Incoming) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.gate.muted(|cx| Pin::new(body).poll_frame(cx))
    }

    /// Looks after a connection that nobody uses; false if it can't be used any more.
    fn rest(&mut self) -> bool {
        if !self.ended {
            self.ended = self.gate.closed(|cx| self.drive.as_mut().poll(cx)).is_ready();
        }
        !self.ended && self.send.is_ready()
    }

    /// Sends a request and waits for the head of its answer. When this is dropped before the end of the answer the
    /// connection must go as well.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Outgoing>,
        watch: &mut HeadWatch,
    ) -> Result<Response<Incoming>, Failure> {
        // The answer comes out of driving the connection, so nobody needs to wake this task for it; and it must come
        // out then, whatever is left of the task's budget.
        let mut answer = pin!(unconstrained(self.send.try_send_request(request)));
        let outcome = poll_fn(|cx| {
            if !self.ended {
                self.ended = self.gate.open(cx, |cx| self.drive.as_mut().poll(cx)).is_ready();
            }
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(Ok(answer));
            }
            match watch.expired(&mut self.timer, cx) {
                Some(phase) => Poll::Ready(Err(Failure::late(phase))),
                None => Poll::Pending,
            }
        });
        outcome.await?.map_err(|mut error| {
            let unsent = error.take_message();
            Failure::told(error.into_error(), unsent, watch.upload.as_deref())
        })
    }
}

/// Boxed, for a connection goes from the shelf to a request and back.
type Idle = Vec<Box<Http1>>;

/// The connections of one target that wait for a request, and how many there may be.
pub(crate) struct Http1Shelf {
    idle: Mutex<Idle>,
    slots: Arc<Semaphore>,
    pending: AtomicUsize,
    max_pending: usize,
    max_idle: usize,
}

impl Http1Shelf {
    pub(crate) fn new(breaker: &Breaker, max_idle: usize) -> Self {
        let slots = Arc::new(Semaphore::new(breaker.max_connections));
        let (idle, pending) = (Mutex::default(), AtomicUsize::new(0));
        Self { idle, slots, pending, max_pending: breaker.max_pending, max_idle }
    }

    /// The right to use a connection. Since an idle one is used before a new one is made, there are never more
    /// connections than rights.
    pub(crate) async fn slot(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let full = || Fault::new(UpstreamError::Overloaded, "as many connections and waiting requests as are allowed");
        let waiting = Pending::join(&self.pending, self.max_pending).ok_or_else(full)?;
        let slot = timeout_at(deadline, Arc::clone(&self.slots).acquire_owned()).await;
        drop(waiting);
        slot.ok().and_then(Result::ok).ok_or_else(full)
    }

    /// The connection used last that still stands. `verify` makes sure of it, for a request that can't be sent twice.
    pub(crate) fn take(&self, verify: bool) -> Option<Box<Http1>> {
        loop {
            let mut connection = self.idle().pop()?;
            if verify {
                connection.strings.verify();
            }
            if connection.rest() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose answer has been read to its end, if it can be used again.
    pub(crate) fn park(&self, mut connection: Box<Http1>) {
        if !connection.rest() {
            return;
        }
        connection.idle_since = Instant::now();
        let mut idle = self.idle();
        if idle.len() < self.max_idle {
            idle.push(connection);
        }
    }

    /// Closes what has been idle for that long, or was closed by the other side.
    pub(crate) fn sweep(&self, timeout: Duration) {
        self.idle().retain_mut(|connection| connection.idle_since.elapsed() < timeout && connection.rest());
    }

    pub(crate) fn idle_count(&self) -> usize {
        self.idle().len()
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for a connection.
struct Pending<'a>(&'a AtomicUsize);

impl<'a> Pending<'a> {
    fn join(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let joined = Self(count);
        (count.fetch_add(1, Ordering::AcqRel) < max).then_some(joined)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
