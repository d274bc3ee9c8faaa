//! Work that comes round: its next run is an ordinary job with a unique key in the system tenant, so all processes
//! together do each run once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Problem, Tx};
use serde_json::Value;

use crate::enqueue::{NewJob, enqueue};

/// Promises the next run, unless one waits or runs already; `tx` is in the system tenant.
pub(crate) async fn promise(tx: &Tx, kind: &'static str, every: Duration) -> Result<(), Problem> {
    let next = next_run(kind, every, tx.now());
    let job = NewJob::new(kind, Value::Null).queue("maintenance").attempts(3).unique(format!("every {kind}")).at(next);
    enqueue(tx, job).await.map(|_| ())
}

/// The next point of the kind's grid, which begins at a point of its own so that not all work comes at the full hour.
/// A grid does not drift, however long a run takes.
fn next_run(kind: &str, every: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let step = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    // FNV-1a: the same in every version of the program.
    let hash = kind
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let offset = i64::try_from(hash >> 1).unwrap_or(0).rem_euclid(step);
    let since = (now.timestamp_millis() - offset).rem_euclid(step);
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now) + TimeDelta::milliseconds(step - since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_lie_on_a_grid_that_does_not_drift() {
        let hour = Duration::from_hours(1);
        let now = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();

        let first = next_run("a", hour, now);
        let second = next_run("a", hour, first + TimeDelta::minutes(20));

        assert!(first > now && first - now <= TimeDelta::hours(1));
        assert_eq!(second - first, TimeDelta::hours(1));
        assert_eq!(next_run("a", hour, first), second, "a run at its very time is followed by the next");
        assert_ne!(next_run("b", hour, now), first, "kinds are spread");
    }
}
