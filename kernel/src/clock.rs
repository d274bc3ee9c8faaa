//! Time and chance, passed in so that tests own both.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::id::{Id, IdKind};

/// The wall clock, to the microsecond (the finest that both engines keep).
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds that tests add to the machine's time.
    shift: Arc<AtomicI64>,
}

impl Clock {
    /// Now, truncated to microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now() + TimeDelta::microseconds(self.shift.load(Ordering::Relaxed));
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Moves this clock and its clones, forwards or back. For tests.
    pub fn shift(&self, by: TimeDelta) {
        self.shift.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}

/// How far the clock may have been set back for new ids still to sort after the ones made before: 10 s in ticks of
/// 1/4096 ms. After a longer step back, ids follow the clock again, so that one wrong hour does not last for ever.
const SET_BACK: u64 = 10_000 << 12;

/// The source of chance: the operating system's, by way of aws-lc.
#[derive(Clone, Debug, Default)]
pub struct Random {
    source: SystemRandom,
    /// The time of the last id in ticks of 1/4096 ms, shared by all clones.
    last: Arc<AtomicU64>,
}

impl Random {
    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        #[expect(clippy::expect_used, reason = "without randomness nothing here is safe to go on")]
        self.source.fill(&mut bytes).expect("the operating system gives random bytes");
        bytes
    }

    /// A new identifier: a `UUIDv7` (RFC 9562, section 6.2, method 3) of this moment. Ids made one after the other by
    /// this source or its clones sort in that order, within a millisecond too.
    pub fn id<K: IdKind>(&self, now: DateTime<Utc>) -> Id<K> {
        let tick = self.tick(u64::try_from(now.timestamp_micros()).unwrap_or(0));
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&(tick >> 12).to_be_bytes()[2..]);
        let fraction = u16::try_from(tick & 0xfff).unwrap_or(0);
        bytes[6..8].copy_from_slice(&(0x7000 | fraction).to_be_bytes());
        bytes[8..].copy_from_slice(&self.bytes::<8>());
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Id::from_uuid(Uuid::from_bytes(bytes))
    }

    /// The next tick of 1/4096 ms that nobody has taken, at `micros` after the epoch or just after the last one.
    fn tick(&self, micros: u64) -> u64 {
        let now = ((micros / 1000) << 12) | ((micros % 1000) * 4096 / 1000);
        let after = |last: u64| if last >= now && last - now < SET_BACK { last + 1 } else { now };
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        last.map_or(now, after)
    }

    /// A random UUID (version 4), for things that carry no prefix.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A number in `0.0..1.0`, for jitter.
    pub fn fraction(&self) -> f64 {
        f64::from(u32::from_be_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{Clock, Random};
    use crate::id::{Id, IdKind};

    enum Thing {}
    impl IdKind for Thing {
        const PREFIX: &'static str = "thg";
    }

    #[test]
    fn ids_of_one_moment_sort_as_they_were_made() {
        let (random, now) = (Random::default(), Clock::default().now());
        let ids: Vec<Id<Thing>> = (0..10_000).map(|_| random.id(now)).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert_eq!(ids[0].uuid().get_version_num(), 7);
        assert_eq!(ids[0].uuid().get_variant(), uuid::Variant::RFC4122);
        let (seconds, _) = ids[0].uuid().get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, u64::try_from(now.timestamp()).unwrap());
    }

    #[test]
    fn a_clock_set_back_a_little_keeps_the_order_and_far_back_is_followed() {
        let (random, now) = (Random::default(), Clock::default().now());
        let first: Id<Thing> = random.id(now);
        assert!(random.id::<Thing>(now - TimeDelta::seconds(5)) > first);
        assert!(random.id::<Thing>(now - TimeDelta::hours(1)) < first);
    }

    #[test]
    fn threads_never_take_the_same_tick() {
        let (random, now) = (Random::default(), Clock::default().now().timestamp_micros().unsigned_abs());
        let mut ticks: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| (0..1000).map(|_| random.tick(now)).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        ticks.sort_unstable();
        ticks.dedup();
        assert_eq!(ticks.len(), 8000);
    }
}
