//! Floods of HTTP/2 frames that carry nothing (CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2024-27316 and kin): PING,
//! SETTINGS, `RST_STREAM`, `WINDOW_UPDATE`, PRIORITY, CONTINUATION, empty DATA. Each costs credit; requests, bodies and what the
//! client takes of answers earn it. Who has none left is not read any more.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::Instant,
};

/// The client's preface, before its first frame (RFC 9113, section 3.4).
const PREFACE: u64 = 24;
const HEAD: usize = 9;
/// What a connection begins with, and may save up.
pub(crate) const MOST: u64 = 1000;
/// What it earns: a second, with a request, and with so many bytes of bodies.
pub(crate) const A_SECOND: u64 = 100;
pub(crate) const A_REQUEST: u64 = 4;
pub(crate) const A_BODY: u64 = 2048;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// Counts the frames of one connection.
#[derive(Debug)]
struct Meter {
    head: [u8; HEAD],
    known: usize,
    /// Bytes until the next frame's head.
    skip: u64,
    credit: u64,
    /// Bytes of bodies that have not earned yet.
    bytes: u64,
    since: Instant,
}

impl Meter {
    fn new() -> Self {
        Self { head: [0; HEAD], known: 0, skip: PREFACE, credit: MOST, bytes: 0, since: Instant::now() }
    }

    fn earn(&mut self, credit: u64) {
        self.credit = self.credit.saturating_add(credit).min(MOST);
    }

    fn carried(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.earn(self.bytes / A_BODY);
        self.bytes %= A_BODY;
    }

    /// Looks at bytes of the client; false when they are too much.
    fn look(&mut self, mut bytes: &[u8]) -> bool {
        let seconds = self.since.elapsed().as_secs();
        if seconds > 0 {
            self.since = Instant::now();
            self.earn(seconds.saturating_mul(A_SECOND));
        }
        while !bytes.is_empty() {
            if self.skip > 0 {
                let over = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                bytes = &bytes[over..];
                self.skip -= over as u64;
                continue;
            }
            let more = (HEAD - self.known).min(bytes.len());
            self.head[self.known..self.known + more].copy_from_slice(&bytes[..more]);
            self.known += more;
            bytes = &bytes[more..];
            if self.known == HEAD && !self.frame() {
                return false;
            }
        }
        true
    }

    fn frame(&mut self) -> bool {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        (self.known, self.skip) = (0, length);
        match kind {
            HEADERS => self.earn(A_REQUEST),
            DATA if length > 0 => self.carried(length),
            DATA if flags & END_STREAM != 0 => {}
            _ => match self.credit.checked_sub(1) {
                Some(left) => self.credit = left,
                None => return false,
            },
        }
        true
    }
}

/// Told when a client floods.
pub(crate) type Flooded = Arc<Notify>;

/// A stream whose frames are counted.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    io: S,
    meter: Meter,
    flooded: Flooded,
    /// Nothing more is read.
    deaf: bool,
}

impl<S> Metered<S> {
    /// Counts from the preface on; `prefix` was read before.
    pub(crate) fn new(io: S, prefix: &[u8]) -> (Self, Flooded) {
        let flooded = Flooded::default();
        let mut metered = Self { io, meter: Meter::new(), flooded: Arc::clone(&flooded), deaf: false };
        metered.hear(prefix);
        (metered, flooded)
    }

    fn hear(&mut self, bytes: &[u8]) {
        if !self.meter.look(bytes) {
            self.deaf = true;
            self.flooded.notify_one();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.deaf {
            return Poll::Pending; // The connection is about to be closed by who was told.
        }
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(cx, buf);
        if outcome.is_ready() {
            self.hear(&buf.filled()[before..]);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.taken(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.taken(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<S> Metered<S> {
    /// Answers earn by their bytes, so that their windows may be widened. Answers to a flood (17 bytes for a PING) earn
    /// less than they cost.
    fn taken(&mut self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(length)) = outcome {
            self.meter.carried(*length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn begun() -> Meter {
        let mut meter = Meter::new();
        assert!(meter.look(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        meter
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_flood_runs_out_of_credit_however_its_bytes_are_cut() {
        let floods =
            [(6, 0, vec![0; 8]), (4, 0, Vec::new()), (3, 0, vec![0; 4]), (8, 0, vec![0; 4]), (9, 0, Vec::new())];
        for (kind, flags, payload) in
            floods.into_iter().chain([(0, 0, Vec::new()), (2, 0, vec![0; 5]), (0x77, 0, vec![1])])
        {
            let one = frame(kind, flags, &payload);
            for piece in [1, 3, one.len()] {
                let mut meter = begun();
                let stopped = (1..=2 * MOST).find(|_| !one.chunks(piece).all(|bytes| meter.look(bytes)));
                assert_eq!(stopped, Some(MOST + 1), "kind {kind} in pieces of {piece}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn honest_clients_have_enough() {
        let mut cancelling = begun();
        for _ in 0..10_000 {
            assert!(cancelling.look(&frame(1, 4, &[0; 20])) && cancelling.look(&frame(3, 0, &[0; 4])));
        }
        let mut downloading = begun();
        for _ in 0..100_000 {
            downloading.carried(16 * 1024);
            assert!(downloading.look(&frame(8, 0, &[0; 4])) && downloading.look(&frame(8, 0, &[0; 4])));
        }
        let mut uploading = begun();
        for _ in 0..10_000 {
            assert!(uploading.look(&frame(0, 0, &[0; 16_384])) && uploading.look(&frame(6, 1, &[0; 8])));
        }
        let mut chatting = begun();
        for _ in 0..10_000 {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            assert!((0..50).all(|_| chatting.look(&frame(6, 0, &[0; 8]))));
        }
    }
}
