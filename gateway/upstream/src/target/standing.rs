//! Whether a target may be used: what the health checks say, whether it is ejected, how far its slow start has got.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// The smallest share during a slow start.
const FIRST_SHARE: f64 = 0.1;

/// Milliseconds since the birth of a target; 0 is never.
type Moment = AtomicU64;

#[derive(Debug)]
pub(crate) struct Standing {
    born: Instant,
    /// By the health checks.
    healthy: AtomicBool,
    ejected_until: Moment,
    /// When a slow start began, or will.
    starts: Moment,
    /// Failures since the last success.
    consecutive: AtomicU32,
    /// Ejections in a row; forgotten one by one while all goes well.
    ejections: AtomicU32,
    window: Window,
}

/// What happened since the success rates were compared last.
#[derive(Debug, Default)]
struct Window {
    good: AtomicU32,
    bad: AtomicU32,
}

impl Standing {
    pub(super) fn new() -> Self {
        Self {
            // One millisecond ago, so that no moment is never.
            born: Instant::now().checked_sub(Duration::from_millis(1)).unwrap_or_else(Instant::now),
            healthy: AtomicBool::new(true),
            ejected_until: Moment::new(0),
            starts: Moment::new(0),
            consecutive: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            window: Window::default(),
        }
    }

    fn moment(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether requests may go to it.
    pub(crate) fn available(&self, now: Instant) -> bool {
        self.healthy() && !self.ejected(now)
    }

    pub(crate) fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    pub(crate) fn ejected(&self, now: Instant) -> bool {
        let until = self.ejected_until.load(Ordering::Acquire);
        until > 0 && self.moment(now) < until
    }

    /// How long it stays ejected.
    pub(super) fn ejected_for(&self, now: Instant) -> Option<Duration> {
        let left = self.ejected_until.load(Ordering::Acquire).checked_sub(self.moment(now))?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// Its part of the share that it has by its weight.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit 53 bits")]
    pub(crate) fn share(&self, now: Instant, slow_start: Duration) -> f64 {
        let starts = self.starts.load(Ordering::Acquire);
        if starts == 0 || slow_start.is_zero() {
            return 1.0;
        }
        let elapsed = self.moment(now).saturating_sub(starts) as f64 / 1000.0;
        (elapsed / slow_start.as_secs_f64()).clamp(FIRST_SHARE, 1.0)
    }

    /// Begins a slow start, for a target that joins a pool at work.
    pub(crate) fn join(&self, now: Instant) {
        self.starts.store(self.moment(now), Ordering::Release);
    }

    /// What a health check found. Returns whether that is news.
    pub(crate) fn set_healthy(&self, healthy: bool, now: Instant) -> bool {
        let news = self.healthy.swap(healthy, Ordering::AcqRel) != healthy;
        if news && healthy {
            self.join(now);
        }
        news
    }

    /// A request went well.
    pub(crate) fn succeeded(&self) {
        // Not to write what all cores read.
        if self.consecutive.load(Ordering::Relaxed) != 0 {
            self.consecutive.store(0, Ordering::Relaxed);
        }
        self.window.good.fetch_add(1, Ordering::Relaxed);
    }

    /// A request failed; how many in a row did.
    pub(crate) fn failed(&self) -> u32 {
        self.window.bad.fetch_add(1, Ordering::Relaxed);
        self.consecutive.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes it out for `base` times the number of ejections in a row, at most for `max`.
    pub(crate) fn eject(&self, now: Instant, base: Duration, max: Duration) -> Duration {
        let times = self.ejections.fetch_add(1, Ordering::AcqRel) + 1;
        let time = base.saturating_mul(times).min(max);
        let until = self.moment(now + time);
        self.starts.store(until, Ordering::Release);
        self.ejected_until.store(until, Ordering::Release);
        self.consecutive.store(0, Ordering::Relaxed);
        time
    }

    /// Once in every interval: the requests and successes since the last one.
    pub(crate) fn turn_window(&self, now: Instant) -> (u32, u32) {
        let good = self.window.good.swap(0, Ordering::Relaxed);
        let bad = self.window.bad.swap(0, Ordering::Relaxed);
        if !self.ejected(now) && good > 0 && bad == 0 {
            let forget = |ejections: u32| Some(ejections.saturating_sub(1));
            let before = self.ejections.fetch_update(Ordering::AcqRel, Ordering::Acquire, forget);
            debug_assert!(before.is_ok(), "there always is a next number");
        }
        (good + bad, good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn ejections_grow_to_a_cap_and_are_forgotten() {
        let standing = Standing::new();
        let eject = || standing.eject(Instant::now(), 10 * SECOND, 25 * SECOND);

        assert_eq!([eject(), eject(), eject()], [10 * SECOND, 20 * SECOND, 25 * SECOND]);
        assert!(standing.ejected(Instant::now()));
        tokio::time::advance(26 * SECOND).await;
        assert!(standing.available(Instant::now()));
        for _ in 0..3 {
            standing.succeeded();
            standing.turn_window(Instant::now());
        }
        assert_eq!(eject(), 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_comes_back_starts_slowly() {
        let standing = Standing::new();
        let share = || standing.share(Instant::now(), 10 * SECOND);
        assert!(share() >= 1.0);

        standing.eject(Instant::now(), 10 * SECOND, 10 * SECOND);
        tokio::time::advance(11 * SECOND).await;
        assert!((0.09..0.11).contains(&share()), "{}", share());
        tokio::time::advance(4 * SECOND).await;
        assert!((0.49..0.51).contains(&share()), "{}", share());
        tokio::time::advance(6 * SECOND).await;
        assert!(share() >= 1.0);
    }
}
