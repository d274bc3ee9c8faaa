//! The stream that hyper holds, with strings attached: what we still can do with it from outside.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Stream;
use crate::target::Lease;

/// A connection to a target. Counted while it is open.
#[derive(Debug)]
pub(crate) struct Io {
    stream: Stream,
    strings: Arc<Strings>,
    open: Arc<AtomicUsize>,
}

/// The far end of the strings.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    /// The next read must ask the kernel whether the peer has hung up.
    verify: AtomicBool,
    /// Held until the connection closes, once it is upgraded.
    lease: Mutex<Option<Lease>>,
}

impl Strings {
    /// Lets the next read of a connection without a request end in an error if anything has come.
    pub(crate) fn verify(&self) {
        self.verify.store(true, Ordering::Relaxed);
    }

    /// Keeps the place in the target's counts for as long as the connection is open.
    pub(crate) fn keep(&self, lease: Lease) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
    }
}

impl Io {
    pub(super) fn new(stream: Stream, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self { stream, strings: Arc::default(), open: Arc::clone(open) }
    }

    pub(crate) fn strings(&self) -> Arc<Strings> {
        Arc::clone(&self.strings)
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        drop(self.strings.lease.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.strings.verify.load(Ordering::Relaxed)
            && this.strings.verify.swap(false, Ordering::Relaxed)
            && !this.stream.is_quiet()
        {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
