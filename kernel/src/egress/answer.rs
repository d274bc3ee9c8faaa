//! An answer from the outside, taken bit by bit, never more than was asked for and never slower.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::EgressError;
use super::resolver::NoneAllowed;

/// How long the parts of an answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest silence.
    pub idle: Duration,
    /// The moment at which it must be over.
    pub until: Instant,
}

/// An answer whose head is there.
#[derive(Debug)]
pub struct EgressAnswer {
    response: reqwest::Response,
    left: u64,
}

impl EgressAnswer {
    pub(super) const fn new(response: reqwest::Response, max_body: u64) -> Self {
        Self { response, left: max_body }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A field of the head, if it is plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// `Retry-After` as a number of seconds; a date is not read.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`EgressError::Timeout`], [`EgressError::TooLarge`], or [`EgressError::Connection`].
    pub async fn chunk(&mut self, pace: Pace) -> Result<Option<Bytes>, EgressError> {
        let until = pace.until.min(Instant::now() + pace.idle);
        let next = timeout_at(until, self.response.chunk()).await.map_err(|_| EgressError::Timeout)?;
        let Some(bytes) = next.map_err(|error| told(&error))? else { return Ok(None) };
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(EgressError::TooLarge)?;
        Ok(Some(bytes))
    }

    /// The whole body.
    ///
    /// # Errors
    /// As for [`Self::chunk`].
    pub async fn whole(&mut self, pace: Pace) -> Result<Vec<u8>, EgressError> {
        let mut body = Vec::new();
        while let Some(bytes) = self.chunk(pace).await? {
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }
}

/// What an error of the client means. Its text names addresses, so it goes no further than the log.
pub(super) fn told(error: &reqwest::Error) -> EgressError {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inside: Option<&(dyn Error + Send + Sync)> = inside;
        if cause.is::<NoneAllowed>() || inside.and_then(|inside| inside.downcast_ref::<NoneAllowed>()).is_some() {
            return EgressError::Refused;
        }
        next = cause.source();
    }
    tracing::debug!(%error, "a call to the outside failed");
    if error.is_timeout() { EgressError::Timeout } else { EgressError::Connection }
}
