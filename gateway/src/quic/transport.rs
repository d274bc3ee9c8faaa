//! QUIC as h3 wants it, over quinn. Beyond handing bytes on, it follows frames ([`Frames`]), counts what a client sends,
//! tells when a client lost interest in an answer or has all of it, and turns requests away once the connection closes.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_util::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{BoxStream, unfold},
};
use h3::{
    error::Code,
    quic::{self, ConnectionErrorIncoming as Lost, StreamErrorIncoming as Broken, StreamId, WriteBuf},
};
use quinn::{ConnectionError, ReadError, VarInt, WriteError};

use super::frames::{Fault, Frames};

/// The most that is taken from a stream at once.
const CHUNK: usize = 64 * 1024;

/// From the number of a request's stream to the next.
const A_STREAM: u64 = 4;

/// Completes when nobody waits for an answer any more: the client has all of it, or has left.
pub(super) type Leaving = BoxFuture<'static, ()>;

/// What the streams of a connection tell of it.
#[derive(Default)]
pub(super) struct Ledger {
    /// Bytes of heads and bodies.
    carried: AtomicU64,
    /// The number of the first stream that was not there yet.
    next: AtomicU64,
    /// Requests from `next` on are turned away.
    closed: AtomicBool,
    /// Of the request accepted last, until it is asked for.
    leaving: Mutex<Option<Leaving>>,
}

impl Ledger {
    pub(super) fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// The number of the stream accepted last.
    pub(super) fn last(&self) -> Option<u64> {
        self.next.load(Ordering::Acquire).checked_sub(A_STREAM)
    }

    /// Requests that were not accepted yet are turned away.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether the next stream is taken.
    fn takes(&self, stream: u64) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        self.next.store(stream + A_STREAM, Ordering::Release);
        true
    }

    /// Of the request accepted last; once.
    pub(super) fn leaving(&self) -> Option<Leaving> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

type Accepted<T> = BoxStream<'static, Result<T, ConnectionError>>;

/// A connection.
pub(super) struct Transport {
    requests: Accepted<(quinn::SendStream, quinn::RecvStream)>,
    one_way: Accepted<quinn::RecvStream>,
    opener: Opener,
    ledger: Arc<Ledger>,
    /// The most bytes of a frame that is kept whole.
    most: u64,
}

impl Transport {
    pub(super) fn new(connection: &quinn::Connection, ledger: Arc<Ledger>, most: u64) -> Self {
        let requests = unfold(connection.clone(), |own| async { Some((own.accept_bi().await, own)) });
        let one_way = unfold(connection.clone(), |own| async { Some((own.accept_uni().await, own)) });
        let opener = Opener { connection: connection.clone(), opening: None };
        Self { requests: requests.boxed(), one_way: one_way.boxed(), opener, ledger, most }
    }
}

/// The next of streams that only end with their connection.
fn next<T>(accepted: &mut Accepted<T>, cx: &mut Context<'_>) -> Poll<Result<T, Lost>> {
    let outcome = ready!(Pin::new(accepted).poll_next(cx));
    let outcome = outcome.ok_or_else(|| Lost::InternalError("no more streams".to_owned()))?;
    Poll::Ready(outcome.map_err(lost))
}

impl quic::Connection<Bytes> for Transport {
    type RecvStream = Reader;
    type OpenStreams = Opener;

    fn poll_accept_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reader, Lost>> {
        let stream = ready!(next(&mut self.one_way, cx))?;
        Poll::Ready(Ok(Reader::new(stream, Frames::one_way(self.most), &self.ledger)))
    }

    fn poll_accept_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Both, Lost>> {
        loop {
            let (mut send, mut recv) = ready!(next(&mut self.requests, cx))?;
            if !self.ledger.takes(send.id().into()) {
                let code = code(Code::H3_REQUEST_REJECTED.value());
                // Fails only if the client was faster.
                drop(send.reset(code));
                drop(recv.stop(code));
                continue;
            }
            let leaving = send.stopped().map(drop);
            *self.ledger.leaving.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaving.boxed());
            let reader = Reader::new(recv, Frames::request(self.most), &self.ledger);
            return Poll::Ready(Ok(Both { writer: Writer { stream: send, writing: None, finished: false }, reader }));
        }
    }

    fn opener(&self) -> Opener {
        Opener { connection: self.opener.connection.clone(), opening: None }
    }
}

impl quic::OpenStreams<Bytes> for Transport {
    type BidiStream = Both;
    type SendStream = Writer;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Both, Broken>> {
        self.opener.poll_open_bidi(cx)
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Writer, Broken>> {
        self.opener.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.opener.close(code, reason);
    }
}

/// Opens the streams of the server.
pub(super) struct Opener {
    connection: quinn::Connection,
    opening: Option<BoxFuture<'static, Result<quinn::SendStream, ConnectionError>>>,
}

impl quic::OpenStreams<Bytes> for Opener {
    type BidiStream = Both;
    type SendStream = Writer;

    fn poll_open_bidi(&mut self, _: &mut Context<'_>) -> Poll<Result<Both, Broken>> {
        let connection_error = Lost::InternalError("a server opens no requests".to_owned());
        Poll::Ready(Err(Broken::ConnectionErrorIncoming { connection_error }))
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Writer, Broken>> {
        let own = &self.connection;
        let opening = self.opening.get_or_insert_with(|| {
            let own = own.clone();
            async move { own.open_uni().await }.boxed()
        });
        let outcome = ready!(opening.poll_unpin(cx));
        self.opening = None;
        let stream = outcome.map_err(|error| Broken::ConnectionErrorIncoming { connection_error: lost(error) })?;
        Poll::Ready(Ok(Writer { stream, writing: None, finished: false }))
    }

    fn close(&mut self, reason: Code, words: &[u8]) {
        self.connection.close(code(reason.value()), words);
    }
}

/// A request's stream.
pub(super) struct Both {
    writer: Writer,
    reader: Reader,
}

impl quic::BidiStream<Bytes> for Both {
    type SendStream = Writer;
    type RecvStream = Reader;

    fn split(self) -> (Writer, Reader) {
        (self.writer, self.reader)
    }
}

impl quic::RecvStream for Both {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        self.reader.poll_data(cx)
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.reader.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.reader.recv_id()
    }
}

impl quic::SendStream<Bytes> for Both {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.writer.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), Broken> {
        self.writer.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.writer.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.writer.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.writer.send_id()
    }
}

/// The half that the client sends.
pub(super) struct Reader {
    stream: quinn::RecvStream,
    frames: Frames,
    ledger: Arc<Ledger>,
    /// There is nothing to stop any more.
    over: bool,
}

impl Reader {
    fn new(stream: quinn::RecvStream, frames: Frames, ledger: &Arc<Ledger>) -> Self {
        Self { stream, frames, ledger: Arc::clone(ledger), over: false }
    }

    fn stop(&mut self, error_code: u64) {
        self.over = true;
        // Fails only if there is nothing to stop.
        drop(self.stream.stop(code(error_code)));
    }
}

impl quic::RecvStream for Reader {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        loop {
            let passed = self.frames.next();
            self.ledger.carried.fetch_add(self.frames.carried(), Ordering::Relaxed);
            if let Some(bytes) = passed.map_err(faulty)? {
                return Poll::Ready(Ok(Some(bytes)));
            }
            let chunk = ready!(pin!(self.stream.read_chunk(CHUNK, true)).poll(cx)).map_err(unreadable)?;
            let Some(chunk) = chunk else {
                self.over = true;
                return Poll::Ready(self.frames.end().map(|()| None).map_err(faulty));
            };
            self.frames.put(chunk.bytes);
        }
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.stop(error_code);
    }

    fn recv_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

impl Drop for Reader {
    /// The rest is not wanted (RFC 9114, section 4.1).
    fn drop(&mut self) {
        if !self.over {
            self.stop(Code::H3_NO_ERROR.value());
        }
    }
}

/// The half that the server sends.
pub(super) struct Writer {
    stream: quinn::SendStream,
    writing: Option<WriteBuf<Bytes>>,
    finished: bool,
}

impl quic::SendStream<Bytes> for Writer {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if let Some(data) = &mut self.writing {
            while data.has_remaining() {
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, data.chunk())).map_err(unwritable)?;
                data.advance(written);
            }
        }
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), Broken> {
        if self.writing.is_some() {
            let connection_error = Lost::InternalError("a frame inside a frame".to_owned());
            return Err(Broken::ConnectionErrorIncoming { connection_error });
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        ready!(self.poll_ready(cx))?;
        self.finished = true;
        Poll::Ready(self.stream.finish().map_err(|error| Broken::Unknown(Box::new(error))))
    }

    fn reset(&mut self, reset_code: u64) {
        self.finished = true;
        // Fails only if the stream is over.
        drop(self.stream.reset(code(reset_code)));
    }

    fn send_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

impl Drop for Writer {
    /// An answer that was given up must not look whole.
    fn drop(&mut self) {
        if !self.finished {
            quic::SendStream::<Bytes>::reset(self, Code::H3_REQUEST_CANCELLED.value());
        }
    }
}

fn lost(error: ConnectionError) -> Lost {
    match error {
        ConnectionError::ApplicationClosed(close) => Lost::ApplicationClose { error_code: close.error_code.into() },
        ConnectionError::TimedOut => Lost::Timeout,
        error => Lost::Undefined(Arc::new(error)),
    }
}

fn unreadable(error: ReadError) -> Broken {
    match error {
        ReadError::Reset(code) => Broken::StreamTerminated { error_code: code.into_inner() },
        ReadError::ConnectionLost(error) => Broken::ConnectionErrorIncoming { connection_error: lost(error) },
        error => Broken::Unknown(Box::new(error)),
    }
}

fn unwritable(error: WriteError) -> Broken {
    match error {
        WriteError::Stopped(code) => Broken::StreamTerminated { error_code: code.into_inner() },
        WriteError::ConnectionLost(error) => Broken::ConnectionErrorIncoming { connection_error: lost(error) },
        error => Broken::Unknown(Box::new(error)),
    }
}

fn faulty(fault: Fault) -> Broken {
    Broken::Unknown(Box::new(fault))
}

fn code(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::MAX)
}

#[expect(clippy::expect_used, reason = "both are numbers of 62 bits")]
fn stream_id(id: quinn::StreamId) -> StreamId {
    u64::from(id).try_into().expect("62 bits")
}
