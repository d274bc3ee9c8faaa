//! The peak EWMA of a target's latency (Finagle: `PeakEwma`).
//!
//! A sample above the average replaces it, one below pulls it down by how long ago the last one was. What is not
//! asked for a while becomes cheaper until it is tried again. Unlike Finagle's, a failure never makes a target look
//! fast: it counts as the average at least.

use std::time::Duration;

use tokio::time::Instant;

/// In which the average forgets all but a third.
const DECAY: f64 = 10.0;
/// What a failure costs where there is no average yet, in seconds.
const UNKNOWN_FAILURE: f64 = 10.0;
/// What a target costs that has a first answer outstanding and no average: more than one that is known to work, less
/// than one that is known to fail.
const UNTRIED: f64 = 0.5;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ewma(Option<Average>);

#[derive(Clone, Copy, Debug)]
struct Average {
    seconds: f64,
    at: Instant,
}

impl Average {
    fn kept(&self, now: Instant) -> f64 {
        (-now.saturating_duration_since(self.at).as_secs_f64() / DECAY).exp()
    }
}

impl Ewma {
    /// An answer came after that long.
    pub(crate) fn observe(&mut self, latency: Duration, now: Instant) {
        let sample = latency.as_secs_f64();
        let seconds = match &self.0 {
            Some(average) if sample <= average.seconds => {
                let kept = average.kept(now);
                average.seconds * kept + sample * (1.0 - kept)
            }
            _ => sample,
        };
        self.0 = Some(Average { seconds, at: now });
    }

    /// It failed after that long.
    pub(crate) fn observe_failure(&mut self, latency: Duration, now: Instant) {
        let floor = self.0.map_or(UNKNOWN_FAILURE, |average| average.seconds);
        let seconds = latency.as_secs_f64().max(floor);
        self.0 = Some(Average { seconds, at: now });
    }

    /// The average as last seen, for people.
    pub(crate) fn seconds(&self) -> Option<f64> {
        self.0.map(|average| average.seconds)
    }

    /// What a further request may take, in seconds. `waiting` is how long the target has let a request wait without
    /// answering any: it needs no answer to show that it is slow.
    pub(crate) fn expected(&self, in_flight: u32, waiting: Duration, now: Instant) -> f64 {
        let known = match &self.0 {
            Some(average) => average.seconds * average.kept(now),
            None if in_flight == 0 => 0.0,
            None => UNTRIED,
        };
        known.max(waiting.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_slowly() {
        let start = Instant::now();
        let mut ewma = Ewma::default();
        ewma.observe(MS, start);
        ewma.observe(100 * MS, start);
        assert!((ewma.expected(0, Duration::ZERO, start) - 0.1).abs() < 1e-9);

        ewma.observe(MS, start + Duration::from_secs(10));
        let later = ewma.expected(0, Duration::ZERO, start + Duration::from_secs(10));
        assert!((0.03..0.04).contains(&later), "{later}");
    }

    #[test]
    fn a_fast_failure_does_not_make_a_target_look_fast() {
        let now = Instant::now();
        let mut ewma = Ewma::default();
        ewma.observe_failure(Duration::from_micros(50), now);
        assert!(ewma.expected(0, Duration::ZERO, now) >= UNKNOWN_FAILURE);

        let mut ewma = Ewma::default();
        ewma.observe(20 * MS, now);
        ewma.observe_failure(Duration::from_micros(50), now);
        assert!(ewma.expected(0, Duration::ZERO, now) >= 0.02);
    }

    #[test]
    fn silence_counts_before_there_is_an_answer() {
        let now = Instant::now();
        let mut ewma = Ewma::default();
        assert!(ewma.expected(1, MS, now) >= UNTRIED);
        ewma.observe(MS, now);
        assert!(ewma.expected(1, 500 * MS, now) >= 0.5);
    }
}
