//! An answer's body on its way out, so that the edge knows what is under way and who waits for whom.

use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{app::ResponseBody, exchange::Flight, journal::Record};

/// The request is over when this is dropped.
pub(crate) struct Tracked {
    body: ResponseBody,
    flight: Flight,
    /// On HTTP/2, where flow control hides a client that does not read: the place in the list of waits.
    slot: Option<usize>,
    /// Where its bytes are counted.
    record: Option<Arc<Record>>,
}

impl Tracked {
    pub(crate) fn new(body: ResponseBody, flight: Flight, multiplexed: bool, record: Option<Arc<Record>>) -> Self {
        let slot = (multiplexed && !body.is_end_stream()).then(|| flight.exchange().wait());
        Self { body, flight, slot, record }
    }

    /// The client took some of what waits for it.
    pub(crate) fn taken(&self) {
        if let Some(slot) = self.slot {
            self.flight.exchange().set_wait(slot, true);
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.flight.exchange().end_wait(slot);
        }
        if let Some(record) = &self.record {
            record.over.store(true, Ordering::Release);
        }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(slot) = self.slot {
            self.flight.exchange().set_wait(slot, frame.is_ready());
        }
        if let (Some(record), Poll::Ready(Some(Ok(frame)))) = (&self.record, &frame)
            && let Some(data) = frame.data_ref()
        {
            record.sent.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
