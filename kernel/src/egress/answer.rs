//! An answer from the outside, taken bit by bit, never more than was asked for and never slower.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

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
    alarm: Alarm,
}

impl EgressAnswer {
    pub(super) const fn new(response: reqwest::Response, max_body: u64) -> Self {
        Self { response, left: max_body, alarm: Alarm(None) }
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
        let (mut next, alarm) = (pin!(self.response.chunk()), &mut self.alarm);
        let next = poll_fn(|cx| match next.as_mut().poll(cx) {
            Poll::Pending if alarm.expired(cx, until) => Poll::Ready(Err(EgressError::Timeout)),
            outcome => outcome.map_err(|error| told(&error)),
        });
        let Some(bytes) = next.await? else { return Ok(None) };
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

/// A time-out for each of many waits that costs a timer only now and then: it rings when the first wait would have been
/// over, and is set to the end of the wait under way then.
#[derive(Debug)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether a wait until then is over. If not, the task is woken when it may be.
    fn expired(&mut self, cx: &mut Context<'_>, until: Instant) -> bool {
        let alarm = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() > until {
            alarm.as_mut().reset(until);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return true;
            }
            alarm.as_mut().reset(until);
        }
        false
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
