//! An answer's body on its way out, so that the edge knows what is under way and who waits for whom.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{app::ResponseBody, exchange::Flight};

/// The request is over when this is dropped.
pub(crate) struct Tracked {
    body: ResponseBody,
    flight: Flight,
    /// On HTTP/2, where flow control hides a client that does not read: the place in the list of waits.
    slot: Option<usize>,
}

impl Tracked {
    pub(crate) fn new(body: ResponseBody, flight: Flight, multiplexed: bool) -> Self {
        let slot = (multiplexed && !body.is_end_stream()).then(|| flight.exchange().wait());
        Self { body, flight, slot }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.flight.exchange().end_wait(slot);
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
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
