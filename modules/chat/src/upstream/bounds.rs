//! The bytes of an event stream with a bound on each event, so that a line without end fills no memory.

use bytes::Bytes;
use futures_util::Stream;
use kernel::{EgressAnswer, EgressError, Pace};

/// The most bytes between two empty lines.
const MAX_EVENT: usize = 256 * 1024;

/// Counts the bytes of the event under way.
#[derive(Debug, Default)]
struct Gauge {
    event: usize,
    line: usize,
}

impl Gauge {
    /// Whether these bytes keep within the bound.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' if self.line == 0 => self.event = 0,
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => self.line += 1,
            }
            self.event += 1;
            if self.event > MAX_EVENT {
                return false;
            }
        }
        true
    }
}

/// The body of an answer, piece by piece; an event that is too large is an error.
pub(super) fn bounded(answer: EgressAnswer, pace: Pace) -> impl Stream<Item = Result<Bytes, EgressError>> + Send {
    futures_util::stream::unfold(Some((answer, Gauge::default())), move |state| async move {
        let (mut answer, mut gauge) = state?;
        match answer.chunk(pace).await {
            Ok(Some(bytes)) if gauge.take(&bytes) => Some((Ok(bytes), Some((answer, gauge)))),
            Ok(Some(_)) => Some((Err(EgressError::TooLarge), None)),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_events_pass_and_one_without_end_does_not() {
        let mut gauge = Gauge::default();
        assert!((0..10_000).all(|_| gauge.take(b"data: some words that fill a line\r\n\r\n")));
        assert!((0..10_000).all(|_| gauge.take(b"data: x\n\n")));

        let endless = vec![b'a'; MAX_EVENT + 1];
        assert!(!Gauge::default().take(&endless));
        let mut many_lines = Gauge::default();
        assert!(!(0..40_000).all(|_| many_lines.take(b"data: x\n")));
    }
}
