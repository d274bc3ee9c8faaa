//! An answer under way, read by several at once while it comes in.
//!
//! As long as the whole is kept, new readers begin at its start. When it turns out too large to keep, the spool flows:
//! no new readers, chunks go when all have read them, and the writer waits for the slowest, within bounds.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::Notify;

/// How it ended.
#[derive(Clone, Debug)]
enum End {
    Whole(Option<http::HeaderMap>),
    Broken(io::ErrorKind, Arc<str>),
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    /// The number of the first chunk kept.
    first: usize,
    buffered: usize,
    flows: bool,
    end: Option<End>,
    readers: HashMap<u64, Place>,
    next_reader: u64,
}

#[derive(Debug, Default)]
struct Place {
    /// The number of the next chunk to read.
    next: usize,
    waker: Option<Waker>,
}

/// The writer's side, and where readers come from.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    state: Mutex<State>,
    /// A reader took something or left.
    moved: Notify,
}

impl Spool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader of the whole; `None` once chunks have gone.
    pub(crate) fn reader(self: &Arc<Self>) -> Option<Reader> {
        let mut state = self.state();
        if state.flows {
            return None;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, Place::default());
        Some(Reader { spool: Arc::clone(self), id, done: false })
    }

    pub(crate) fn push(&self, chunk: Bytes) {
        let mut state = self.state();
        state.buffered += chunk.len();
        state.chunks.push_back(chunk);
        state.wake();
    }

    /// From now on what all have read is forgotten.
    pub(crate) fn flow(&self) {
        let mut state = self.state();
        state.flows = true;
        state.forget_read();
    }

    /// Waits until less than `most` bytes wait for readers; `false` if there is no reader left. Only while flowing.
    pub(crate) async fn room(&self, most: usize) -> bool {
        loop {
            let moved = self.moved.notified();
            {
                let state = self.state();
                if state.readers.is_empty() {
                    return false;
                }
                if state.buffered < most {
                    return true;
                }
            }
            moved.await;
        }
    }

    /// Drops the readers that still have the oldest chunk to read; their bodies break.
    pub(crate) fn leave_slowest(&self) {
        let mut state = self.state();
        let slowest = state.readers.values().map(|place| place.next).min().unwrap_or_default();
        for (_, place) in state.readers.extract_if(|_, place| place.next == slowest) {
            place.waker.into_iter().for_each(Waker::wake);
        }
        state.forget_read();
    }

    /// The whole in one piece: what was pushed, and the last chunk, which was not yet. To be asked before a flow.
    pub(crate) fn whole_with(&self, last: &[u8]) -> Bytes {
        let state = self.state();
        let mut whole = Vec::with_capacity(state.buffered + last.len());
        state.chunks.iter().for_each(|chunk| whole.extend_from_slice(chunk));
        whole.extend_from_slice(last);
        whole.into()
    }

    pub(crate) fn finish(&self, trailers: Option<http::HeaderMap>) {
        self.end(End::Whole(trailers));
    }

    pub(crate) fn fail(&self, kind: io::ErrorKind, reason: &str) {
        self.end(End::Broken(kind, reason.into()));
    }

    fn end(&self, end: End) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        state.wake();
    }
}

impl State {
    fn wake(&mut self) {
        self.readers.values_mut().filter_map(|place| place.waker.take()).for_each(Waker::wake);
    }

    fn forget_read(&mut self) {
        let needed = self.readers.values().map(|place| place.next).min().unwrap_or(usize::MAX);
        while self.flows && self.first < needed {
            let Some(chunk) = self.chunks.pop_front() else { return };
            self.first += 1;
            self.buffered -= chunk.len();
        }
    }
}

/// One reader, from the first byte.
#[derive(Debug)]
pub(crate) struct Reader {
    spool: Arc<Spool>,
    id: u64,
    done: bool,
}

impl Reader {
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let mut state = self.spool.state();
        let first = state.first;
        let Some(next) = state.readers.get(&self.id).map(|place| place.next) else {
            self.done = true;
            let reason = "this reader was too slow for an answer that others wait for";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, reason))));
        };
        if let Some(chunk) = state.chunks.get(next - first).cloned() {
            state.readers.entry(self.id).and_modify(|place| place.next += 1);
            state.forget_read();
            drop(state);
            self.spool.moved.notify_one();
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        let Some(end) = state.end.clone() else {
            state.readers.entry(self.id).and_modify(|place| place.waker = Some(cx.waker().clone()));
            return Poll::Pending;
        };
        self.done = true;
        match end {
            End::Whole(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            End::Broken(kind, reason) => Poll::Ready(Some(Err(io::Error::new(kind, &*reason)))),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.spool.state();
        state.readers.remove(&self.id);
        state.forget_read();
        drop(state);
        self.spool.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn read(reader: &mut Reader) -> Option<io::Result<Bytes>> {
        let frame = poll_fn(|cx| reader.poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }

    #[tokio::test]
    async fn a_late_reader_gets_all_from_the_start() {
        let spool = Arc::new(Spool::default());
        let mut early = spool.reader().unwrap();
        spool.push(Bytes::from_static(b"one"));
        assert_eq!(read(&mut early).await.unwrap().unwrap(), "one");

        let mut late = spool.reader().unwrap();
        spool.push(Bytes::from_static(b"two"));
        spool.finish(None);

        assert_eq!(read(&mut late).await.unwrap().unwrap(), "one");
        assert_eq!(read(&mut late).await.unwrap().unwrap(), "two");
        assert!(read(&mut late).await.is_none());
        assert_eq!(read(&mut early).await.unwrap().unwrap(), "two");
        assert_eq!(spool.whole_with(b"three"), "onetwothree");
    }

    #[tokio::test]
    async fn a_flowing_spool_waits_for_the_slowest_and_can_leave_it() {
        let spool = Arc::new(Spool::default());
        let (mut slow, mut quick) = (spool.reader().unwrap(), spool.reader().unwrap());
        spool.push(Bytes::from_static(b"0123456789"));
        spool.flow();
        assert!(spool.reader().is_none());
        read(&mut quick).await.unwrap().unwrap();

        let mut waiting = Box::pin(spool.room(5));
        assert!(futures_now(&mut waiting).await.is_none());
        spool.leave_slowest();
        drop(waiting);

        assert!(spool.room(5).await);
        assert_eq!(read(&mut slow).await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop((slow, quick));
        assert!(!spool.room(5).await);
    }

    async fn futures_now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        poll_fn(|cx| match std::pin::Pin::new(&mut *future).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
