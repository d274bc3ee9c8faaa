//! A request's body on its way to the application: counted, and cut when it is too large or too slow.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::{alarm::Alarm, identity_field, leftover::Leftover, source::Source, telemetry};

/// Why a body ended before its end. Inside the [`io::Error`] that reading it gives; find it by [`BodyError::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Answer with 413.
    #[error("The request body is too large.")]
    TooLarge,
    /// Answer with 408.
    #[error("The request body arrives too slowly.")]
    TooSlow,
    /// Answer with 400.
    #[error("The request body is not framed as HTTP asks for.")]
    Malformed,
    /// Nobody waits for an answer.
    #[error("The client left before the request was complete.")]
    Disconnected,
}

impl BodyError {
    /// Finds the reason in an error or behind it.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if let Some(found) = inside.and_then(|inside| Self::of(inside)) {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The status to answer with.
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::Malformed | Self::Disconnected => 400,
        }
    }

    /// The stable code, also the label of the metric.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "edge.body_too_large",
            Self::TooSlow => "edge.body_too_slow",
            Self::Malformed => "edge.body_malformed",
            Self::Disconnected => "edge.body_incomplete",
        }
    }
}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::TooLarge | BodyError::Malformed => io::ErrorKind::InvalidData,
            BodyError::TooSlow => io::ErrorKind::TimedOut,
            BodyError::Disconnected => io::ErrorKind::UnexpectedEof,
        };
        Self::new(kind, error)
    }
}

/// How fast a body must come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The longest silence.
    pub(crate) silence: Duration,
    /// Bytes a second, 0 for no minimum.
    pub(crate) rate: u64,
    /// Waiting that is free.
    pub(crate) grace: Duration,
}

/// The body of a request.
#[derive(Debug)]
pub struct EdgeBody {
    /// `None` once it was read to its end.
    incoming: Option<Source>,
    leftover: Leftover,
    limit: u64,
    received: u64,
    pace: Pace,
    /// Time spent waiting for the client, without the wait under way.
    waited: Duration,
    waiting_since: Option<Instant>,
    alarm: Alarm<u64>,
    cut: Option<BodyError>,
}

impl EdgeBody {
    pub(crate) fn new(incoming: Source, leftover: Leftover, limit: u64, pace: Pace) -> Self {
        let incoming = (!incoming.is_end_stream()).then_some(incoming);
        let (waited, alarm) = (Duration::ZERO, Alarm::default());
        Self { incoming, leftover, limit, received: 0, pace, waited, waiting_since: None, alarm, cut: None }
    }

    /// How long the client may let us wait for the next byte: the silence allowed, or less if it is behind its rate.
    fn patience(&self) -> Duration {
        if self.pace.rate == 0 {
            return self.pace.silence;
        }
        let earned = Duration::from_millis(self.received.saturating_mul(1000) / self.pace.rate);
        let budget = self.pace.grace.saturating_add(earned).saturating_sub(self.waited);
        budget.min(self.pace.silence)
    }

    fn poll_in_time(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        match incoming.poll_frame(cx) {
            Poll::Ready(frame) => {
                if frame.is_none() || incoming.is_end_stream() {
                    self.incoming = None;
                }
                if let Some(since) = self.waiting_since.take() {
                    self.waited += since.elapsed();
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                self.waiting_since.get_or_insert_with(Instant::now);
                let patience = self.patience();
                if self.alarm.expired(cx, self.received, patience) {
                    return Poll::Ready(Some(Err(BodyError::TooSlow)));
                }
                Poll::Pending
            }
        }
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(error) = this.cut {
            return Poll::Ready(Some(Err(error.into())));
        }
        let mut outcome = ready!(this.poll_in_time(cx));
        if let Some(Ok(frame)) = &mut outcome {
            if let Some(trailers) = frame.trailers_mut() {
                identity_field::strip(trailers);
            }
            this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            if this.received > this.limit {
                outcome = Some(Err(BodyError::TooLarge));
            }
        }
        if let Some(Err(error)) = &outcome {
            telemetry::body_cut(error.code());
            this.cut = Some(*error);
        }
        Poll::Ready(outcome.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.cut.is_none() && self.incoming.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Source::size_hint)
    }
}

impl Drop for EdgeBody {
    fn drop(&mut self) {
        match self.incoming.take() {
            _ if self.cut.is_some() => self.leftover.lose(),
            Some(incoming) => self.leftover.leave(incoming),
            None => {}
        }
    }
}
