//! The health of an issuer: after several faults in a row that are its own, new orders go to the next one for a while.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

const FAULTS: u32 = 5;
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(30);

/// What this replica has seen of one issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circuit {
    faults: u32,
    closed_until: Option<DateTime<Utc>>,
}

impl Circuit {
    /// When a new order may be tried: none means now.
    pub(crate) fn not_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.closed_until.filter(|until| *until > now)
    }

    pub(crate) fn worked(&mut self) {
        *self = Self::default();
    }

    /// A fault of the issuer's; `asked` is how long it asked to be left alone.
    pub(crate) fn failed(&mut self, now: DateTime<Utc>, asked: Option<Duration>) {
        self.faults = self.faults.saturating_add(1);
        let mut wait = asked.unwrap_or_default();
        if self.faults >= FAULTS {
            wait = wait.max(FIRST.saturating_mul(2_u32.saturating_pow((self.faults - FAULTS).min(10))).min(LONGEST));
        }
        if !wait.is_zero() {
            let until = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1)).min(TimeDelta::days(1));
            self.closed_until = self.closed_until.max(Some(until));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_faults_and_closes_with_the_first_success() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut circuit = Circuit::default();

        for _ in 0..FAULTS - 1 {
            circuit.failed(now, None);
        }
        assert_eq!(circuit.not_before(now), None);
        circuit.failed(now, None);
        assert_eq!(circuit.not_before(now), Some(now + FIRST));
        circuit.failed(now + FIRST, None);
        assert_eq!(circuit.not_before(now + FIRST), Some(now + FIRST * 3));
        circuit.worked();
        assert_eq!(circuit.not_before(now), None);
    }

    #[test]
    fn what_the_ca_asks_for_is_kept_at_the_first_fault() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut circuit = Circuit::default();

        circuit.failed(now, Some(Duration::from_hours(1)));

        assert_eq!(circuit.not_before(now), Some(now + TimeDelta::hours(1)));
    }
}
