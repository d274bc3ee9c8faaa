//! An upgraded connection: bytes in both directions, with a limit on silence.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes},
    time::{Instant, sleep_until},
};

/// Bytes on their way in each direction.
const BUFFER: usize = 16 * 1024;

/// What went through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnelled {
    pub to_upstream: u64,
    pub to_client: u64,
}

/// Copies in both directions until both ends have closed, a half-close passed on. Dropping it closes both.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] after `idle` without a byte in either direction, and what reading and writing give.
pub async fn tunnel(client: Upgraded, upstream: Upgraded, idle: Duration) -> io::Result<Tunnelled> {
    let pulse = Arc::new(Pulse { start: Instant::now(), last: AtomicU64::new(0) });
    let mut client = Pulsing { io: TokioIo::new(client), pulse: Arc::clone(&pulse) };
    let mut upstream = Pulsing { io: TokioIo::new(upstream), pulse: Arc::clone(&pulse) };
    let copying = copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER);
    tokio::select! {
        biased;
        copied = copying => copied.map(|(to_upstream, to_client)| Tunnelled { to_upstream, to_client }),
        () = pulse.stops(idle) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing went through")),
    }
}

/// When a byte was read last.
struct Pulse {
    start: Instant,
    /// Milliseconds since the start.
    last: AtomicU64,
}

impl Pulse {
    fn beat(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }

    async fn stops(&self, idle: Duration) {
        loop {
            let until = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + idle;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }
}

struct Pulsing<S> {
    io: S,
    pulse: Arc<Pulse>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Pulsing<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.pulse.beat();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Pulsing<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
