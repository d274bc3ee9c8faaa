//! A request's body on its way to the upstream.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use crate::error::BoxError;

/// How far the sending has got, seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    frames: AtomicU64,
    ended: AtomicBool,
    failed: AtomicBool,
}

impl Upload {
    /// Parts taken from the caller; also counts the end.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Acquire)
    }

    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether reading the body failed.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.frames.fetch_add(1, Ordering::AcqRel);
    }
}

/// The body. Of one type, so that connections can be shared by requests with different ones.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Empty,
    Stream { body: UnsyncBoxBody<Bytes, BoxError>, upload: Arc<Upload> },
}

impl Outgoing {
    /// Takes a body over; without one there is nothing to watch.
    pub(crate) fn new<B>(body: B) -> (Self, Option<Arc<Upload>>)
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return (Self::Empty, None);
        }
        let upload = Arc::<Upload>::default();
        let body = body.map_err(Into::into).boxed_unsync();
        (Self::Stream { body, upload: Arc::clone(&upload) }, Some(upload))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self::Stream { body, upload } = self.get_mut() else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) if !body.is_end_stream() => {
                upload.frames.fetch_add(1, Ordering::AcqRel);
            }
            Some(Ok(_)) | None => upload.end(),
            Some(Err(_)) => upload.failed.store(true, Ordering::Release),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}
