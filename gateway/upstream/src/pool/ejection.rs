//! Passive health: how the requests of clients fare decides who stays in (Envoy: outlier detection).
//!
//! Envoy compares success rates by their standard deviation, which finds nothing among five: there the worst can't be
//! more than 1.8 deviations away. Here a target must be worse than the mean of the others by a fixed gap.

use std::sync::{Arc, PoisonError};

use http::StatusCode;
use tokio::time::Instant;

use super::Core;
use crate::{error::UpstreamError, target::Target};

/// Whether an answer speaks against its target.
pub(super) fn speaks_against(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// Whether the lack of an answer does: not if the request or we are to blame.
pub(super) const fn is_its_fault(error: &UpstreamError) -> bool {
    matches!(
        error,
        UpstreamError::Resolve
            | UpstreamError::Connect
            | UpstreamError::Tls
            | UpstreamError::Timeout(_)
            | UpstreamError::Reset
            | UpstreamError::Answer
            | UpstreamError::Incomplete
    )
}

impl Core {
    /// A request to the target failed.
    pub(crate) fn failed(&self, target: &Arc<Target>, detail: &str) {
        target.figures.failed();
        target.note(detail);
        let in_a_row = target.standing.failed();
        let limit = self.config.ejection.consecutive_failures;
        if limit > 0 && in_a_row >= limit {
            self.eject(target, "failures in a row");
        }
    }

    /// Compares the success rates. Once in every interval.
    pub(super) fn judge(&self) {
        let settings = &self.config.ejection;
        let now = Instant::now();
        let counts: Vec<_> = self.members.iter().map(|member| member.target.standing.turn_window(now)).collect();
        if settings.success_rate_gap <= 0.0 {
            return;
        }
        let rates: Vec<Option<f64>> = counts
            .iter()
            .map(|(requests, good)| {
                (*requests >= settings.min_requests.max(1)).then(|| f64::from(*good) / f64::from(*requests))
            })
            .collect();
        for (index, rate) in rates.iter().enumerate() {
            let others: Vec<f64> =
                rates.iter().enumerate().filter(|(other, _)| *other != index).filter_map(|(_, rate)| *rate).collect();
            let (Some(rate), Ok(count)) = (rate, u32::try_from(others.len())) else { continue };
            let mean = others.iter().sum::<f64>() / f64::from(count);
            if count > 0 && *rate < mean - settings.success_rate_gap {
                self.eject(&self.members[index].target, "success rate");
            }
        }
    }

    /// Takes a target out, unless it is the last or too many are out already. Judged by the pool as it is now.
    fn eject(&self, target: &Arc<Target>, reason: &'static str) {
        let succession = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = succession.0.upgrade() else { return };
        let now = Instant::now();
        let settings = &current.config.ejection;
        let (mut ejected, mut others) = (0, 0);
        for member in &current.members {
            ejected += usize::from(member.target.standing.ejected(now));
            let other = !Arc::ptr_eq(&member.target, target);
            others += usize::from(other && member.target.standing.available(now));
        }
        let percent = usize::try_from(settings.max_percent).unwrap_or(100);
        let most = (current.members.len() * percent / 100).max(1);
        if target.standing.ejected(now) || others == 0 || ejected >= most {
            return;
        }
        let time = target.standing.eject(now, settings.base_time, settings.max_time);
        target.figures.ejected();
        tracing::warn!(
            pool = &*current.name,
            target = &*target.key.place.authority,
            reason,
            seconds = time.as_secs_f64(),
            "a target is taken out for a while"
        );
    }
}
