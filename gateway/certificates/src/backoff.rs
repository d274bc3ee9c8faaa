//! How long to wait after a failure. Deterministic: every replica comes to the same moment.

use std::time::Duration;

use crate::cause::Cause;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Until a whole attempt is made again, after `failures` in a row (this one included).
///
/// A name that once had a certificate and fails validation has most likely moved away: one try a day. So does a name
/// that fails for the fifth time.
pub(crate) fn after_failure(cause: Cause, failures: u32, had_certificate: bool) -> Duration {
    let steps: &[u64] = match cause {
        _ if cause.is_validation() && had_certificate => &[DAY],
        _ if cause.is_validation() => &[5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY],
        Cause::NameRefused | Cause::NoChallenge | Cause::AccountRefused => &[5 * MINUTE, HOUR, 6 * HOUR, DAY],
        _ => &[MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR],
    };
    let last = steps.len() - 1;
    Duration::from_secs(steps[usize::try_from(failures.saturating_sub(1)).unwrap_or(last).min(last)])
}

/// Until the same step is tried again, after `faults` passing faults at it (this one included).
pub(crate) fn at_step(faults: u32) -> Duration {
    const STEPS: [u64; 7] = [1, 2, 5, 15, 60, 300, 600];
    let last = STEPS.len() - 1;
    Duration::from_secs(STEPS[usize::try_from(faults.saturating_sub(1)).unwrap_or(last).min(last)])
}

/// Until an order is looked at again while the CA is at work on it, by how long it has been.
pub(crate) fn poll(waited: Duration) -> Duration {
    match waited.as_secs() {
        0..2 => Duration::from_millis(250),
        2..10 => Duration::from_secs(1),
        10..60 => Duration::from_secs(5),
        60..600 => Duration::from_secs(20),
        _ => Duration::from_mins(3),
    }
}

/// A number that is the same for the same texts everywhere and evenly spread otherwise (FNV-1a, 64 bits, mixed).
pub(crate) fn spread(texts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// A moment within `length`, chosen by [`spread`].
pub(crate) fn within(length: Duration, texts: &[&str]) -> Duration {
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { Duration::ZERO } else { Duration::from_millis(spread(texts) % millis) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_moved_away_costs_one_validation_a_day() {
        for failures in 1..10 {
            assert_eq!(after_failure(Cause::WrongAnswer, failures, true), Duration::from_secs(DAY));
        }
        assert_eq!(after_failure(Cause::WrongAnswer, 99, false), Duration::from_secs(DAY));
        assert!(after_failure(Cause::WrongAnswer, 1, false) < Duration::from_secs(HOUR));
    }

    #[test]
    fn moments_are_spread_evenly_and_the_same_everywhere() {
        let window = Duration::from_secs(1000);
        let moments: Vec<_> = (0..1000).map(|n| within(window, &[&format!("n{n}.example.com")])).collect();

        let early = moments.iter().filter(|at| **at < window / 2).count();
        assert!((400..600).contains(&early), "{early}");
        assert_eq!(moments[7], within(window, &["n7.example.com"]));
    }
}
