//! The HTTP/1 stream as the parser behind sees it: only what the [`Framer`] has judged, and only in time.
//!
//! A refused head never reaches the parser. In its place stands a small head of our own, so that the answer takes its
//! turn behind those of earlier, pipelined requests; the service knows it by its number (see [`Exchange`]).

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::{
    alarm::Alarm,
    body::BodyError,
    connections::Place,
    exchange::Exchange,
    framing::{Fault, Framer, HeadLimits, Stage},
    refusal::Refusal,
    stream::Stream,
    telemetry,
    wire::Sink,
};

/// The most that one read takes from the socket.
const READ: usize = 16 * 1024;
/// The most that is held for a protocol that may take over the connection.
const HELD: usize = 64 * 1024;
/// How long a client is quiet before its connection rests: long enough that one that comes at a pace is never put to bed.
const REST: Duration = Duration::from_millis(500);
/// How long a client that still sends is listened to after the last answer, so that the answer reaches it.
const LINGER: Duration = Duration::from_secs(2);
/// Stands for a refused head.
const PLACEHOLDER: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// The waits that a guard limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardTimes {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// What every guard of an edge has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardSetup {
    pub(crate) limits: HeadLimits,
    pub(crate) times: GuardTimes,
}

/// What a connection occupies: its place, and its part in the drain.
#[derive(Debug)]
pub(crate) struct Held {
    _place: Place,
    _tracked: TaskTrackerToken,
}

impl Held {
    pub(crate) fn new(place: Place, tracked: TaskTrackerToken) -> Self {
        Self { _place: place, _tracked: tracked }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    FirstHead,
    Head(u64),
    Idle(u64),
    Linger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client is done, or was idle for too long.
    Quiet,
    /// A placeholder was handed on; nothing follows it.
    Refused,
    /// The body broke.
    Body,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Guard<S> {
    io: S,
    _held: Held,
    framer: Framer,
    exchange: Arc<Exchange>,
    /// Received and not handed on yet.
    pending: BytesMut,
    /// How much of it may be handed on.
    approved: usize,
    end: Option<End>,
    eof: bool,
    times: GuardTimes,
    waiting: Alarm<Wait>,
    sink: Sink,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// `prefix` was read already; `held` is kept as long as the stream, upgraded or not.
    pub(crate) fn new(io: S, prefix: BytesMut, setup: GuardSetup, exchange: Arc<Exchange>, held: Held) -> Self {
        let GuardSetup { limits, times } = setup;
        let mut guard = Self {
            io,
            _held: held,
            framer: Framer::new(limits),
            exchange,
            pending: prefix,
            approved: 0,
            end: None,
            eof: false,
            times,
            waiting: Alarm::default(),
            sink: Sink::new(times.write),
        };
        guard.judge_pending();
        guard
    }

    fn judge_pending(&mut self) {
        let (passed, fault) = self.framer.inspect(&self.pending[self.approved..]);
        self.approved += passed;
        self.note(fault);
    }

    fn note(&mut self, fault: Option<Fault>) {
        match fault {
            None => {}
            Some(Fault::Body) => {
                self.pending.truncate(self.approved);
                self.end = Some(End::Body);
            }
            Some(Fault::Head(refusal)) => {
                self.pending.truncate(self.approved);
                self.pending.extend_from_slice(PLACEHOLDER);
                self.approved = self.pending.len();
                self.exchange.refuse(self.framer.heads() + 1, refusal);
                self.end = Some(End::Refused);
            }
        }
    }

    /// Reads once and judges; hands on at once what passed, without keeping a copy. `0` is the end of the stream.
    fn fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBufCursor<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let room = if self.pending.is_empty() { buf.remaining().clamp(1, READ) } else { READ };
        let mut read = ReadBuf::uninit(&mut space[..room]);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
        let fresh = read.filled();
        if self.pending.is_empty() {
            let (passed, fault) = self.framer.inspect(fresh);
            let passed = passed.min(fresh.len());
            if passed > 0 {
                buf.put_slice(&fresh[..passed]);
            }
            self.pending.extend_from_slice(&fresh[passed..]);
            self.note(fault);
        } else {
            self.pending.extend_from_slice(fresh);
            self.judge_pending();
        }
        Poll::Ready(Ok(fresh.len()))
    }

    /// Hands on what may be; whether that was anything.
    fn release(&mut self, buf: &mut ReadBufCursor<'_>) -> bool {
        let length = self.approved.min(buf.remaining());
        if length == 0 {
            return false;
        }
        buf.put_slice(&self.pending[..length]);
        self.pending.advance(length);
        self.approved -= length;
        if self.pending.is_empty() {
            self.pending = BytesMut::new();
        }
        true
    }

    /// Asks whether the wait for this client has lasted too long, and acts on it. While an answer is under way the
    /// client owes nothing; the parser doesn't tell when that ends, so the clock is put right when it strikes.
    fn overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let heads = self.framer.heads();
        let (wait, limit) = match self.framer.stage() {
            Stage::Between | Stage::Head if heads == 0 => (Wait::FirstHead, self.times.header),
            Stage::Head => (Wait::Head(heads), self.times.header),
            Stage::Between => (Wait::Idle(heads), self.times.idle),
            _ => {
                self.waiting.clear();
                return false;
            }
        };
        let rest = if matches!(wait, Wait::Idle(_)) { REST.min(limit) } else { limit };
        let mut patience = rest;
        while self.waiting.expired(cx, wait, patience) {
            match self.exchange.quiet_since(heads) {
                Some(quiet) if quiet >= limit => {
                    self.give_up();
                    return true;
                }
                Some(quiet) if quiet >= rest => {
                    self.exchange.set_rests(true);
                    patience = limit.saturating_sub(quiet);
                }
                Some(quiet) => patience = rest.saturating_sub(quiet),
                None => patience = limit,
            }
            self.waiting.clear();
        }
        false
    }

    fn give_up(&mut self) {
        if self.framer.stage() == Stage::Head {
            telemetry::connection_cut("header_timeout");
            self.framer.kill();
            self.note(Some(Fault::Head(Refusal::HeadTooSlow)));
        } else {
            telemetry::connection_cut("idle");
            self.end = Some(End::Quiet);
        }
    }

    fn settle_upgrade(&mut self, cx: &Context<'_>) {
        if self.framer.stage() == Stage::Upgrade
            && let Some(accepted) = self.exchange.upgrade(self.framer.heads(), cx)
        {
            self.framer.upgrade_decided(accepted);
            self.judge_pending();
        }
    }

    /// Who does not take all of an answer can't rest.
    fn sent<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_pending() {
            self.exchange.set_rests(false);
        }
        self.sink.watch(cx, outcome)
    }

    /// Whether closing now could destroy the answer: the client sends what nobody reads.
    fn unread(&self) -> bool {
        !self.eof && (matches!(self.end, Some(End::Refused | End::Body)) || self.framer.stage() == Stage::Body)
    }
}

impl Guard<Stream> {
    /// Takes back what the parser had not used, when it goes because the connection rests.
    pub(crate) fn take_back(&mut self, unused: &[u8]) {
        self.approved += unused.len();
        let held = std::mem::take(&mut self.pending);
        self.pending.extend_from_slice(unused);
        self.pending.extend_from_slice(&held);
    }

    /// Completes when there is something to do again: the client sends or leaves, or has been quiet for too long.
    pub(crate) async fn stirs(&self) {
        let quiet = self.exchange.quiet_since(self.framer.heads()).unwrap_or_default();
        // The parser will see the end of a broken stream by itself.
        drop(timeout(self.times.idle.saturating_sub(quiet), self.io.readable()).await);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Read for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.exchange.set_rests(false);
        let room = buf.remaining();
        loop {
            this.settle_upgrade(cx);
            if this.release(&mut buf) || buf.remaining() < room || room == 0 {
                return Poll::Ready(Ok(()));
            }
            match this.end {
                Some(End::Quiet) => return Poll::Ready(Ok(())),
                Some(End::Refused) => return Poll::Pending,
                Some(End::Body) => return Poll::Ready(Err(BodyError::Malformed.into())),
                None => {}
            }
            if this.framer.stage() == Stage::Upgrade && this.pending.len() >= HELD {
                return Poll::Pending;
            }
            match this.fill(cx, &mut buf) {
                Poll::Ready(Ok(0)) => {
                    this.eof = true;
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.overdue(cx) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Write for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.sent(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.sent(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        this.sent(cx, outcome)
    }

    /// Closes our half; if the client still sends, listens a little longer before the socket goes (RFC 9112, 9.6).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.waiting.watches(&Wait::Linger) {
            let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.sink.watch(cx, outcome))?;
        }
        while this.unread() && !this.waiting.expired(cx, Wait::Linger, LINGER) {
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut read = ReadBuf::uninit(&mut space);
            match ready!(Pin::new(&mut this.io).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {}
                _ => this.eof = true,
            }
        }
        Poll::Ready(Ok(()))
    }
}
