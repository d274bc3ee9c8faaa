//! One request and its answer on a connection.

mod gate;
mod http1;
mod http2;
mod outgoing;
mod timer;

pub(crate) use http1::{Http1, Http1Shelf};
pub(crate) use http2::{Http2, Http2Shelf, Stream};
pub(crate) use outgoing::{Outgoing, Upload};
pub(crate) use timer::{HeadWatch, Timer, earlier};

use http::Request;

use crate::error::{BoxError, Fault, Phase, UpstreamError};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    /// The request, if not a byte of it was sent.
    pub(crate) unsent: Option<Request<Outgoing>>,
}

impl Failure {
    fn late(phase: Phase) -> Self {
        let detail = format!("no answer in time ({phase:?})");
        Self { fault: Fault::new(UpstreamError::Timeout(phase), detail), unsent: None }
    }

    fn told(error: hyper::Error, unsent: Option<Request<Outgoing>>, upload: Option<&Upload>) -> Self {
        if upload.is_some_and(Upload::failed) {
            let fault = Fault::new(UpstreamError::RequestBody(BoxError::from(error)), "the request's body broke off");
            return Self { fault, unsent: None };
        }
        let kind =
            if error.is_parse() || error.is_parse_too_large() { UpstreamError::Answer } else { UpstreamError::Reset };
        Self { fault: Fault::caused(kind, &error), unsent }
    }
}
