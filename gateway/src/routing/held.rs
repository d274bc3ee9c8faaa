//! An answer that goes on for only as long as the credential of whoever gets it.

use std::{
    io,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::app::ResponseBody;

/// Watches somebody; completes once they are gone.
pub(crate) type Watch = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>;

/// Lets an answer break off once whoever is watched is gone. What comes in one piece isn't watched.
pub(crate) fn hold(answer: Response<ResponseBody>, watch: Watch) -> Response<ResponseBody> {
    if answer.body().is_end_stream() {
        return answer;
    }
    answer.map(|body| Held { body, begun: false, watch: Some(watch), gone: None, broken: false }.boxed())
}

struct Held {
    body: ResponseBody,
    /// Whether its first piece has come.
    begun: bool,
    watch: Option<Watch>,
    /// `Mutex` for `Sync` only: whoever polls owns it.
    gone: Option<Mutex<BoxFuture<'static, ()>>>,
    broken: bool,
}

impl Held {
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(watch) = self.watch.take() {
            self.gone = Some(Mutex::new(watch()));
        }
        let gone = self.gone.as_mut().and_then(|gone| gone.get_mut().ok());
        self.broken = gone.is_none_or(|gone| gone.as_mut().poll(cx).is_ready());
        self.broken
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.broken {
            return Poll::Ready(None);
        }
        let over = || Poll::Ready(Some(Err(io::Error::other("whoever asked is no longer let in"))));
        if this.begun && this.is_over(cx) {
            return over();
        }
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending() && !this.begun && this.is_over(cx) {
            return over();
        }
        this.begun = true;
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use futures_util::{FutureExt, StreamExt, future, stream};
    use http_body_util::StreamBody;
    use tokio::sync::oneshot;

    use super::*;
    use crate::routing::passage::full;

    fn pieces(count: usize) -> impl futures_util::Stream<Item = io::Result<Frame<Bytes>>> + Send + Sync + 'static {
        stream::iter((0..count).map(|_| Ok(Frame::data(Bytes::from_static(b"x")))))
    }

    #[tokio::test]
    async fn an_answer_that_waits_breaks_off_when_its_reader_is_gone() {
        let (leave, left) = oneshot::channel::<()>();
        let body = BodyExt::boxed(StreamBody::new(pieces(2).chain(stream::pending())));
        let watch: Watch = Box::new(|| left.map(drop).boxed());
        let mut held = hold(Response::new(body), watch).into_body();

        for _ in 0..2 {
            assert!(held.frame().await.unwrap().is_ok());
        }
        assert!(held.frame().now_or_never().is_none());
        leave.send(()).unwrap();

        assert!(held.frame().await.unwrap().is_err());
        assert!(held.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_answer_that_never_waits_breaks_off_too() {
        let watch: Watch = Box::new(|| future::ready(()).boxed());
        let mut held = hold(Response::new(BodyExt::boxed(StreamBody::new(pieces(1000)))), watch).into_body();

        assert!(held.frame().await.unwrap().is_ok());
        assert!(held.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn what_comes_in_one_piece_is_not_watched() {
        let asked = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&asked);
        let watch: Watch = Box::new(move || {
            note.store(true, Ordering::SeqCst);
            future::pending().boxed()
        });
        let mut held = hold(Response::new(full(Bytes::from_static(b"whole"))), watch).into_body();

        assert!(held.frame().await.unwrap().is_ok());
        assert!(held.is_end_stream());
        assert!(!asked.load(Ordering::SeqCst));
    }
}
