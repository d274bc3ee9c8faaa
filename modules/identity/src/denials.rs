//! Failed sign-ins stand in the audit trail, but nobody can fill it by failing: a tenant has so many a minute.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::TenantId;
use quick_cache::sync::Cache;

/// Failures of a tenant that are recorded in one minute.
const A_MINUTE: u32 = 60;
/// Tenants whose failures are counted at once.
const TENANTS: usize = 10_000;

#[derive(Default)]
struct Window {
    since: DateTime<Utc>,
    recorded: u32,
    left_out: u64,
}

/// How many failures were recorded lately.
pub(crate) struct Denials(Cache<TenantId, Arc<Mutex<Window>>>);

impl Default for Denials {
    fn default() -> Self {
        Self(Cache::new(TENANTS))
    }
}

impl Denials {
    /// Whether one more may be recorded: the number that was left out before it, or `None` if it may not.
    pub(crate) fn admit(&self, tenant: TenantId, now: DateTime<Utc>) -> Option<u64> {
        let window = self.0.get_or_insert_with(&tenant, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let window = window.unwrap_or_default();
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        if now - window.since >= TimeDelta::minutes(1) {
            window.since = now;
            window.recorded = 0;
        }
        if window.recorded >= A_MINUTE {
            window.left_out += 1;
            metrics::counter!("holdfast_signin_failures_unrecorded_total").increment(1);
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

#[cfg(test)]
mod tests {
    use kernel::SYSTEM_TENANT;

    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_next_minute_tells_how_much_was_left_out() {
        let (denials, now) = (Denials::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));

        let recorded = (0..100).filter(|_| denials.admit(SYSTEM_TENANT, now).is_some()).count();

        assert_eq!(recorded, 60);
        assert_eq!(denials.admit(SYSTEM_TENANT, now + TimeDelta::minutes(1)), Some(40));
        assert_eq!(denials.admit(SYSTEM_TENANT, now + TimeDelta::minutes(1)), Some(0));
    }
}
