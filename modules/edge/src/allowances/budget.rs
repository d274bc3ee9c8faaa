//! The rule of a budget (GCRA), for stores that do not work it out themselves: the database's rows and NATS.

use std::time::Duration;

use gateway::{Claim, Grant};

/// A budget that is further from whole than so many bursts is none of ours: a value that somebody else wrote.
const BELIEVED: i64 = 64;

/// What comes of a claim.
pub(crate) struct Settlement {
    /// When the budget is whole again.
    pub whole_at: i64,
    /// Whether that has to be kept.
    pub changed: bool,
    pub grant: Grant,
}

/// Settles one account: what was spent is charged whatever there is, what is wanted is granted as far as there is room.
/// `kept` is when the budget is whole again, as the store has it. Times are microseconds of the store's clock.
pub(crate) fn settle(kept: Option<i64>, now: i64, claim: &Claim) -> Settlement {
    let interval = interval(claim);
    let burst = interval.saturating_mul(claim.burst.get().into());
    let most = now.saturating_add(burst.saturating_mul(BELIEVED));
    let before = kept.filter(|at| (now..=most).contains(at)).unwrap_or(now);
    let charged = before.saturating_add(interval.saturating_mul(claim.spent)).max(now);
    let latest = now.saturating_add(burst);
    let room = latest.saturating_sub(charged) / interval;
    let tokens = u32::try_from(room.clamp(0, claim.want.into())).unwrap_or_default();
    let whole_at = charged.saturating_add(interval.saturating_mul(tokens.into()));
    let wait = u64::try_from(whole_at.saturating_add(interval).saturating_sub(latest)).unwrap_or_default();
    Settlement { whole_at, changed: whole_at != before, grant: Grant { tokens, wait: Duration::from_micros(wait) } }
}

/// How long a token takes to come back, in microseconds.
pub(crate) fn interval(claim: &Claim) -> i64 {
    (60_000_000 / i64::from(claim.per_minute.get())).max(1)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;

    fn claim(per_minute: u32, burst: u32, spent: i64, want: u32) -> Claim {
        let (per_minute, burst) = (NonZeroU32::new(per_minute).unwrap(), NonZeroU32::new(burst).unwrap());
        Claim { limit: "x".into(), key: [0; 16], per_minute, burst, spent, want }
    }

    #[test]
    fn what_nobody_can_owe_is_not_believed() {
        let granted = |kept| settle(kept, NOW, &claim(60, 10, 0, 50)).grant.tokens;

        assert_eq!([None, Some(0), Some(i64::MIN), Some(i64::MAX)].map(granted), [10; 4]);
        assert_eq!(granted(Some(NOW + 4_000_000)), 6);
        assert_eq!(granted(Some(NOW + 20_000_000)), 0);
    }

    proptest! {
        #[test]
        fn no_more_is_granted_than_the_burst_or_the_wish(
            kept: Option<i64>, rate in 1..u32::MAX, burst in 1..u32::MAX, spent: i64, want: u32
        ) {
            let settled = settle(kept, NOW, &claim(rate, burst, spent, want));

            prop_assert!(settled.grant.tokens <= want.min(burst));
            prop_assert!(settled.whole_at >= NOW);
        }
    }
}
