//! Where the bytes of a request's body come from: hyper for HTTP/1 and HTTP/2, QUIC for HTTP/3.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{body::BodyError, quic::Upload};

/// The body as the protocol gives it, before the edge counts it.
#[derive(Debug)]
pub(crate) enum Source {
    Hyper(Incoming),
    Quic(Box<Upload>),
}

impl From<Incoming> for Source {
    fn from(incoming: Incoming) -> Self {
        Self::Hyper(incoming)
    }
}

impl From<Upload> for Source {
    fn from(upload: Upload) -> Self {
        Self::Quic(Box::new(upload))
    }
}

impl Source {
    pub(crate) fn is_end_stream(&self) -> bool {
        match self {
            Self::Hyper(incoming) => incoming.is_end_stream(),
            Self::Quic(upload) => upload.is_end_stream(),
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Hyper(incoming) => incoming.size_hint(),
            Self::Quic(upload) => upload.size_hint(),
        }
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Hyper(incoming) => {
                let frame = Pin::new(incoming).poll_frame(cx);
                frame.map(|frame| frame.map(|frame| frame.map_err(|error| reason(&error))))
            }
            Self::Quic(upload) => upload.poll_frame(cx),
        }
    }
}

fn reason(error: &hyper::Error) -> BodyError {
    BodyError::of(error).unwrap_or(BodyError::Disconnected)
}
