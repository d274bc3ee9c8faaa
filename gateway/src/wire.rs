//! A stream that hyper reads and writes, cut when the client takes nothing any more. Below HTTP/2; HTTP/1 has the
//! [`crate::guard::Guard`] on top of the same writing half.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::{alarm::Alarm, telemetry};

/// Writes with a limit on how long nothing gets through.
#[derive(Debug)]
pub(crate) struct Sink {
    stalled: Alarm<()>,
    limit: Duration,
}

impl Sink {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { stalled: Alarm::default(), limit }
    }

    /// Passes an outcome on; a wait that lasts too long becomes an error.
    pub(crate) fn watch<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled.clear();
            return outcome;
        }
        if self.stalled.expired(cx, (), self.limit) {
            telemetry::connection_cut("write_stall");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")));
        }
        Poll::Pending
    }
}

/// The stream below HTTP/2.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    /// What was read to recognise the protocol.
    prefix: Bytes,
    io: TokioIo<S>,
    sink: Sink,
    /// Set once all is written: until when the client is listened to.
    lingers: Option<Pin<Box<Sleep>>>,
}

/// Frames of the client that are on their way when the connection closes would reset it, and take the end of the last
/// answer with them; so they are read for so long, or until the client closes.
const LINGER: Duration = Duration::from_millis(500);

impl<S> Wire<S> {
    pub(crate) fn new(io: S, prefix: Bytes, write_timeout: Duration) -> Self {
        Self { prefix, io: TokioIo::new(io), sink: Sink::new(write_timeout), lingers: None }
    }
}

impl<S: AsyncRead + Unpin> Read for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.prefix.has_remaining() {
            let length = self.prefix.len().min(buf.remaining());
            buf.put_slice(&self.prefix.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Write for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.sink.watch(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.sink.watch(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        this.sink.watch(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingers.is_none() {
            let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.sink.watch(cx, outcome))?;
        }
        let timer = this.lingers.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(this.io.inner_mut()).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
