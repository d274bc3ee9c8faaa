//! The body of a request over HTTP/3.

use std::{
    fmt,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use h3::{error::StreamError, server::RequestStream};
use http::{HeaderMap, header};
use http_body::{Frame, SizeHint};

use super::transport::Reader;
use crate::{body::BodyError, framing::plain_number};

enum Stage {
    Data,
    Trailers,
    End,
}

/// What the client sends after the head. It must be as long as the head said (RFC 9114, section 4.1.2), or who reads
/// it next, over HTTP/1.1, would take the length from the head.
pub(crate) struct Upload {
    stream: RequestStream<Reader, Bytes>,
    /// What is missing of the length in the head.
    missing: Option<u64>,
    stage: Stage,
    /// What came together with the head.
    first: Option<Result<Frame<Bytes>, BodyError>>,
}

impl Upload {
    /// The body that follows this head.
    pub(super) fn new(stream: RequestStream<Reader, Bytes>, headers: &HeaderMap) -> Self {
        let length = headers.get(header::CONTENT_LENGTH).map(|length| plain_number(length.as_bytes()));
        // A length that is no number is refused with the head.
        let missing = length.and_then(Result::ok);
        Self { stream, missing, stage: Stage::Data, first: None }
    }

    /// Looks whether the body ends right after the head, or what came with it.
    pub(super) fn peek(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(frame) = self.poll_frame(cx) {
            self.first = frame;
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.first.is_none() && matches!(self.stage, Stage::End)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let first = match &self.first {
            Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => 0,
        };
        self.missing.map(|missing| SizeHint::with_exact(missing + first)).unwrap_or_default()
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        let frame = ready!(self.poll_next(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.stage = Stage::End;
        }
        Poll::Ready(frame)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if matches!(self.stage, Stage::Data) {
            let data = match ready!(self.stream.poll_recv_data(cx)) {
                Ok(data) => data.map(|mut data| data.copy_to_bytes(data.remaining())),
                Err(error) => return Poll::Ready(Some(Err(reason(&error)))),
            };
            if let Some(data) = data {
                return Poll::Ready(Some(self.count(data)));
            }
            if self.missing.is_some_and(|missing| missing > 0) {
                return Poll::Ready(Some(Err(BodyError::Malformed)));
            }
            self.stage = Stage::Trailers;
        }
        if matches!(self.stage, Stage::End) {
            return Poll::Ready(None);
        }
        let trailers = ready!(self.stream.poll_recv_trailers(cx));
        self.stage = Stage::End;
        Poll::Ready(match trailers {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(error) => Some(Err(reason(&error))),
        })
    }

    fn count(&mut self, data: Bytes) -> Result<Frame<Bytes>, BodyError> {
        if let Some(missing) = &mut self.missing {
            *missing = missing.checked_sub(data.len() as u64).ok_or(BodyError::Malformed)?;
        }
        Ok(Frame::data(data))
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("missing", &self.missing).finish_non_exhaustive()
    }
}

fn reason(error: &StreamError) -> BodyError {
    match error {
        // What our own transport finds wrong comes as undefined.
        StreamError::StreamError { .. } | StreamError::HeaderTooBig { .. } | StreamError::Undefined { .. } => {
            BodyError::Malformed
        }
        _ => BodyError::Disconnected,
    }
}
