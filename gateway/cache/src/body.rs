//! The body of an answer that went through the cache.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::spool::Reader;

/// A body out of the cache, through it, or past it. `D` is the body that the origin answers with.
#[derive(Debug)]
pub struct CacheBody<D>(Source<D>);

#[derive(Debug)]
enum Source<D> {
    /// Stored. `None` once it was given.
    Stored(Option<Bytes>),
    /// Coming in, read by others too. With its length, if the origin said it.
    Shared(Reader, Option<u64>),
    /// Straight from the origin.
    Passed(D),
}

impl<D> CacheBody<D> {
    pub(crate) fn empty() -> Self {
        Self(Source::Stored(None))
    }

    pub(crate) fn stored(body: Bytes) -> Self {
        Self(Source::Stored(Some(body).filter(|body| !body.is_empty())))
    }

    pub(crate) fn shared(reader: Reader, length: Option<u64>) -> Self {
        Self(Source::Shared(reader, length))
    }

    pub(crate) fn passed(body: D) -> Self {
        Self(Source::Passed(body))
    }
}

impl<D> Body for CacheBody<D>
where
    D: Body<Data = Bytes> + Unpin,
    D::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.get_mut().0 {
            Source::Stored(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Source::Shared(reader, left) => {
                let frame = reader.poll_frame(cx);
                if let (Poll::Ready(Some(Ok(frame))), Some(left)) = (&frame, left) {
                    *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
                }
                frame
            }
            Source::Passed(body) => Pin::new(body).poll_frame(cx).map_err(into_io),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Stored(body) => body.is_none(),
            Source::Shared(..) => false,
            Source::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Stored(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            Source::Shared(_, left) => left.map(SizeHint::with_exact).unwrap_or_default(),
            Source::Passed(body) => body.size_hint(),
        }
    }
}

/// An error of the origin's body: itself, if it is an [`io::Error`].
pub(crate) fn into_io(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    match error.into().downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    }
}
