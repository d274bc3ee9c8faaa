//! HTTP/2: a few connections, each a task of its own, shared by many requests.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures_util::future::poll_fn;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
    rt::Executor,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::{Failure, HeadWatch, Outgoing, Timer};
use crate::{
    connect::Io,
    error::{Fault, Phase, UpstreamError},
};

/// What one stream, and one connection, may have buffered for a client that reads slowly.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// The head of an answer may have so many bytes.
const MAX_HEAD: u32 = 64 * 1024;
/// A PING after this much silence while requests are under way, and the time for its answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs hyper's tasks where they are waited for at shutdown.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tracked {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// A place on a connection, for one request.
pub(crate) struct Http2 {
    send: SendRequest<Outgoing>,
    pub(crate) stream: Stream,
}

/// Counts a request of a connection.
#[derive(Debug)]
pub(crate) struct Stream(Arc<AtomicU32>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Http2 {
    /// Sends a request and waits for the head of its answer. Dropping this, or the answer's body, resets the stream.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Outgoing>,
        watch: &mut HeadWatch,
    ) -> Result<Response<Incoming>, Failure> {
        let mut timer = Timer::default();
        let mut answer = pin!(self.send.try_send_request(request));
        let outcome = poll_fn(|cx| {
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(Ok(answer));
            }
            match watch.expired(&mut timer, cx) {
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

struct Link {
    send: SendRequest<Outgoing>,
    streams: Arc<AtomicU32>,
    idle_since: Option<Instant>,
}

/// The connections of one target.
pub(crate) struct Http2Shelf {
    links: Mutex<Vec<Link>>,
    /// Held by whoever makes a connection, so that a hundred requests don't make a hundred.
    making: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
    max_streams: u32,
    max_connections: usize,
}

impl Http2Shelf {
    pub(crate) fn new(tasks: TaskTracker, max_streams: u32, max_connections: usize) -> Self {
        let (links, making) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { links, making, tasks, max_streams, max_connections }
    }

    /// A place on the connection with the fewest requests; none if another connection should be made.
    pub(crate) fn take(&self) -> Option<Http2> {
        let mut links = self.links();
        links.retain(|link| !link.send.is_closed());
        let may_make = links.len() < self.max_connections;
        let link = links.iter_mut().min_by_key(|link| link.streams.load(Ordering::Acquire))?;
        if may_make && link.streams.load(Ordering::Acquire) >= self.max_streams {
            return None;
        }
        link.idle_since = None;
        link.streams.fetch_add(1, Ordering::AcqRel);
        Some(Http2 { send: link.send.clone(), stream: Stream(Arc::clone(&link.streams)) })
    }

    /// The turn to make a connection.
    pub(crate) async fn turn(&self, deadline: Instant) -> Result<tokio::sync::MutexGuard<'_, ()>, Fault> {
        let late = |_| Fault::new(UpstreamError::Timeout(Phase::Connect), "no connection in time");
        timeout_at(deadline, self.making.lock()).await.map_err(late)
    }

    /// Begins to speak HTTP/2 on a new connection.
    pub(crate) async fn add(&self, io: Io, deadline: Instant) -> Result<Http2, Fault> {
        let mut builder = http2::Builder::new(Tracked(self.tasks.clone()));
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        let late = |_| Fault::new(UpstreamError::Timeout(Phase::Connect), "no HTTP/2 connection in time");
        let made = timeout_at(deadline, builder.handshake(TokioIo::new(io))).await.map_err(late)?;
        let (send, connection) = made.map_err(|error| Fault::caused(UpstreamError::Connect, &error))?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream ended early");
            }
        });
        let streams = Arc::new(AtomicU32::new(1));
        let http2 = Http2 { send: send.clone(), stream: Stream(Arc::clone(&streams)) };
        self.links().push(Link { send, streams, idle_since: None });
        Ok(http2)
    }

    /// Closes what has been idle for that long.
    pub(crate) fn sweep(&self, timeout: Duration) {
        self.links().retain_mut(|link| {
            if link.streams.load(Ordering::Acquire) > 0 {
                link.idle_since = None;
                return !link.send.is_closed();
            }
            let since = *link.idle_since.get_or_insert_with(Instant::now);
            !link.send.is_closed() && since.elapsed() < timeout
        });
    }

    pub(crate) fn idle_count(&self) -> usize {
        self.links().iter().filter(|link| link.streams.load(Ordering::Acquire) == 0).count()
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
