//! An answer's body on its way to the client.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use sync_wrapper::SyncWrapper;
use tokio::time::Instant;

use crate::{
    error::{Fault, Phase, UpstreamError},
    exchange::{Http1, Stream, Timer, earlier},
    pool::Core,
    target::Lease,
};

/// The body of a forwarded answer, passed on part by part as it comes, trailers included.
///
/// Dropping it before its end cancels the request at the upstream.
pub struct UpstreamBody(Option<Box<Open>>);

/// What a body needs until its end.
pub(crate) struct Open {
    pub(crate) incoming: Incoming,
    pub(crate) source: Source,
    pub(crate) silence: Duration,
    pub(crate) whole: Option<Instant>,
    /// Since when the upstream lets us wait.
    pub(crate) waiting_since: Option<Instant>,
    pub(crate) lease: Lease,
    pub(crate) core: Arc<Core>,
}

/// The connection that a body comes from.
pub(crate) enum Source {
    Http1(SyncWrapper<Box<Http1>>),
    Http2 { timer: Timer, _stream: Stream },
}

impl UpstreamBody {
    pub(crate) const fn empty() -> Self {
        Self(None)
    }

    pub(crate) fn new(open: Open) -> Self {
        if open.incoming.is_end_stream() {
            open.finish();
            return Self::empty();
        }
        Self(Some(Box::new(open)))
    }
}

impl Open {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let (frame, timer) = match &mut self.source {
            Source::Http1(connection) => {
                let connection = connection.get_mut();
                let mut frame = connection.read(&mut self.incoming);
                if frame.is_pending() {
                    connection.drive(cx);
                    frame = connection.read(&mut self.incoming);
                }
                (frame, &mut connection.timer)
            }
            Source::Http2 { timer, .. } => (Pin::new(&mut self.incoming).poll_frame(cx), timer),
        };
        let Poll::Ready(frame) = frame else {
            let since = *self.waiting_since.get_or_insert_with(Instant::now);
            let (deadline, phase) = earlier(since + self.silence, Phase::Body, self.whole);
            if timer.expired(cx, deadline) {
                let fault = Fault::new(UpstreamError::Timeout(phase), "the answer's body stopped");
                return Poll::Ready(Some(Err(self.fail(fault))));
            }
            return Poll::Pending;
        };
        self.waiting_since = None;
        let broken = |error: hyper::Error| self.fail(Fault::caused(UpstreamError::Incomplete, &error));
        Poll::Ready(frame.map(|frame| frame.map_err(broken)))
    }

    fn fail(&self, fault: Fault) -> UpstreamError {
        self.core.failed(&self.lease.target, &fault.detail);
        fault.error
    }

    /// The answer has been read to its end.
    fn finish(self) {
        if let Source::Http1(connection) = self.source {
            self.lease.target.park(connection.into_inner());
        }
        drop(self.lease);
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let this = self.get_mut();
        let Some(open) = &mut this.0 else { return Poll::Ready(None) };
        let outcome = open.poll(cx);
        match &outcome {
            Poll::Ready(Some(Err(_))) => this.0 = None,
            Poll::Ready(None) => {
                if let Some(open) = this.0.take() {
                    open.finish();
                }
            }
            // A server that knows the length doesn't ask again.
            Poll::Ready(Some(Ok(_))) if open.incoming.is_end_stream() => {
                if let Some(open) = this.0.take() {
                    open.finish();
                }
            }
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        outcome
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |open| open.incoming.size_hint())
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("ended", &self.0.is_none()).finish_non_exhaustive()
    }
}
